import { join } from 'node:path';
import { parsedJson } from '../../base/parsed-json.ts';
import type { Look } from '../looks/looks.ts';
import { objectOf, textOf } from './texts.ts';

const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** Where containerd keeps the parts of images, below its folder. Docker may use its own containerd or the system's. */
const CONTENT = 'io.containerd.content.v1.content/blobs/sha256';
const SYSTEM_CONTAINERD = '/var/lib/containerd';

/**
 * The JSON files of a container's image.
 * @param root Docker's folder, such as /var/lib/docker
 * @param record the container's `config.v2.json`
 * @returns null if they cannot be found and read
 */
export async function dockerImage(
  root: string,
  record: Readonly<Record<string, unknown>>,
  look: Look,
): Promise<string[] | null> {
  const [, id] = DIGEST.exec(textOf(record, 'Image')) ?? [];
  const driver = textOf(record, 'Driver');
  if (id === undefined || !/^[a-z0-9-]+$/.test(driver)) return null;
  const file = join(root, 'image', driver, 'imagedb/content/sha256', id);
  const manifests = manifestsIn(root, record);
  const first = await look({ files: [file, ...manifests.map(({ manifest }) => manifest)] });
  const config = first.ownText(file);
  if (config !== null) return [config];
  for (const { folder, manifest } of manifests) {
    const text = first.ownText(manifest);
    const named = text === null ? null : blobIn(folder, configDigest(parsedJson(text)));
    const found = named === null ? null : (await look({ files: [named] })).ownText(named);
    if (text !== null && found !== null) return [text, found];
  }
  return null;
}

/** The paths of the manifest, if Docker lets containerd keep its images. The manifest names the config. */
function manifestsIn(
  root: string,
  record: Readonly<Record<string, unknown>>,
): { folder: string; manifest: string }[] {
  const used = textOf(objectOf(record, 'ImageManifest'), 'digest') || textOf(record, 'Image');
  return [join(root, 'containerd/daemon'), SYSTEM_CONTAINERD].flatMap((folder) => {
    const manifest = blobIn(folder, used);
    return manifest === null ? [] : [{ folder, manifest }];
  });
}

function blobIn(folder: string, digest: string): string | null {
  const [, hex] = DIGEST.exec(digest) ?? [];
  return hex === undefined ? null : join(folder, CONTENT, hex);
}

/** containerd ignores the case of keys. So a manifest with two keys that differ only in case has no config here. */
function configDigest(manifest: unknown): string {
  const config = objectOf(manifest, 'config');
  const isClear = [manifest as object, config].every((each) => {
    const keys = Object.keys(each ?? {});
    // In both directions, because some letters have no lower case of their own, or no upper case.
    return new Set(keys.map((key) => key.toUpperCase().toLowerCase())).size === keys.length;
  });
  return isClear ? textOf(config, 'digest') : '';
}
