import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { buildBusybox } from '../../src/build/busybox.ts';
import { compress, file, METADATA, squashfsOf, tarOf } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';

/** One image in all supported formats, as files in a folder. */
export interface ImageFiles extends AsyncDisposable {
  readonly folder: string;
  readonly plain: string;
  readonly gzip: string;
  readonly xz: string;
  readonly zstd: string;
  /** The metadata of the split image. */
  readonly metadata: string;
  /** The root filesystem of the split image, a squashfs. */
  readonly rootfs: string;
}

/** Makes the busybox image in every format. */
export async function imageFiles(): Promise<ImageFiles> {
  const folder = await mkdtemp('/var/tmp/porthole-test-images-');
  const at = (name: string) => join(folder, name);
  await buildBusybox({ path: at('gzip.tar.gz'), onProgress: () => {} });
  const tar = gunzipSync(await readFile(at('gzip.tar.gz')));
  await writeFile(at('plain.tar'), tar);
  await writeFile(at('xz.tar.xz'), await compress(tar, 'xz'));
  await writeFile(at('zstd.tar.zst'), await compress(tar, 'zstd'));
  await writeFile(at('metadata.tar'), await tarOf([file('metadata.yaml', METADATA)]));
  const unpacked = await run('tar', ['-xf', at('plain.tar'), '-C', folder, 'rootfs']);
  if (!unpacked.ok) throw new Error(unpacked.failure);
  await squashfsOf(at('rootfs'), at('rootfs.squashfs'));
  return {
    folder,
    plain: at('plain.tar'),
    gzip: at('gzip.tar.gz'),
    xz: at('xz.tar.xz'),
    zstd: at('zstd.tar.zst'),
    metadata: at('metadata.tar'),
    rootfs: at('rootfs.squashfs'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
