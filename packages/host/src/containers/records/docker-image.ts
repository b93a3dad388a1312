import { join } from 'node:path';
import { parsed, readRootFile } from './root-file.ts';
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
): Promise<string[] | null> {
  const [, id] = DIGEST.exec(textOf(record, 'Image')) ?? [];
  const driver = textOf(record, 'Driver');
  if (id === undefined || !/^[a-z0-9-]+$/.test(driver)) return null;
  const config = await readRootFile(join(root, 'image', driver, 'imagedb/content/sha256', id));
  return config === null ? fromContainerd(root, record) : [config];
}

/** The manifest and its config, if Docker lets containerd keep its images. */
async function fromContainerd(
  root: string,
  record: Readonly<Record<string, unknown>>,
): Promise<string[] | null> {
  const used = textOf(objectOf(record, 'ImageManifest'), 'digest') || textOf(record, 'Image');
  for (const folder of [join(root, 'containerd/daemon'), SYSTEM_CONTAINERD]) {
    const manifest = await blob(folder, used);
    const config = await blob(folder, configDigest(parsed(manifest)));
    if (manifest !== null && config !== null) return [manifest, config];
  }
  return null;
}

function blob(folder: string, digest: string): Promise<string | null> {
  const [, hex] = DIGEST.exec(digest) ?? [];
  return hex === undefined ? Promise.resolve(null) : readRootFile(join(folder, CONTENT, hex));
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
