import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { METADATA } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';

const MIRROR = 'http://deb.debian.org/debian';

/** A root of Debian that mmdebstrap(1) makes. */
export interface DebianRoot {
  readonly suite: string;
  readonly packages: readonly string[];
}

/**
 * Makes an image of a Debian root, from the packages of Debian's mirror. Its /etc/hostname is the host's, as
 * mmdebstrap makes it.
 * @returns its path, in a folder that the caller removes
 * @throws Error with the last words of the program that failed
 */
export async function debianImage({ suite, packages }: DebianRoot, folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, 'root-'));
  const [root, image] = [join(work, 'rootfs'), join(folder, `${suite}-${packages[0]}.tar`)];
  await mkdir(root);
  await must('mmdebstrap', ['--variant=minbase', `--include=${packages.join(',')}`, suite, root, MIRROR]);
  await writeFile(join(work, 'metadata.yaml'), METADATA);
  await must('tar', ['-C', work, '--exclude=rootfs/dev/*', '-cf', image, 'metadata.yaml', 'rootfs']);
  await rm(work, { recursive: true });
  return image;
}

async function must(command: string, args: readonly string[]): Promise<void> {
  const { ok, failure } = await run(command, args);
  if (!ok) throw new Error(failure);
}
