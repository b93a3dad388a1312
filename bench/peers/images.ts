import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBusybox } from '../../packages/host/src/build/busybox.ts';
import { run } from '../../packages/host/src/process/run.ts';

const MIB = 1024 * 1024;

/** Files of the images that all peers get. */
export interface Images {
  readonly busybox: string;
  /** The same with a large file in it, not compressed. */
  readonly large: string;
}

/** Makes a small image to launch and a large one to download. */
export async function buildImages(folder: string, largeMib: number): Promise<Images> {
  const [busybox, large] = [join(folder, 'busybox.tar.gz'), join(folder, 'large.tar')];
  const unpacked = join(folder, 'unpacked');
  await buildBusybox({ path: busybox, onProgress: () => {} });
  await mkdir(unpacked);
  await must('tar', '-xzf', busybox, '-C', unpacked);
  await fill(join(unpacked, 'rootfs', 'filler'), largeMib);
  await must('tar', '-cf', large, '-C', unpacked, 'metadata.yaml', 'rootfs');
  return { busybox, large };
}

/** Writes random bytes, which no file system can compress. */
async function fill(file: string, mib: number): Promise<void> {
  const chunk = randomBytes(MIB);
  await using handle = await open(file, 'w');
  for (let written = 0; written < mib; written++) await handle.write(chunk);
}

async function must(command: string, ...args: string[]): Promise<void> {
  const { ok, failure } = await run(command, args);
  if (!ok) throw new Error(failure);
}
