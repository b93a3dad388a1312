import { join } from 'node:path';
import type { Look } from '../looks/looks.ts';

/** An image has a config, one or two manifests and some signatures. */
const FILES_MAX = 64;

/**
 * The JSON files of an image: its config and all its manifests.
 * @param place the folder `DRIVER-images`
 * @returns null if they cannot be found and read
 */
export async function podmanImage(place: string, id: string, look: Look): Promise<string[] | null> {
  if (!/^[0-9a-f]{64}$/.test(id)) return null;
  const folder = join(place, id);
  const looked = await look({ trees: [folder] });
  const names = looked.names(folder);
  const manifests = names.filter((name) => nameOf(name).startsWith('manifest'));
  const config = fileOf(`sha256:${id}`);
  if (names.length > FILES_MAX || !names.includes('manifest') || !names.includes(config)) return null;
  const texts = [config, ...manifests].map((name) => looked.ownText(join(folder, name)));
  return texts.includes(null) ? null : (texts as string[]);
}

/** The file in which Podman keeps the part of an image with this name. */
export function fileOf(name: string): string {
  return /^[a-z0-9.]+$/.test(name) ? name : `=${Buffer.from(name).toString('base64')}`;
}

function nameOf(file: string): string {
  return file.startsWith('=') ? Buffer.from(file.slice(1), 'base64').toString('latin1') : file;
}
