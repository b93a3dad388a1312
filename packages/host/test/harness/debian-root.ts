import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { METADATA } from '../../src/images/testing/archives.ts';
import { run } from '../../src/process/run.ts';

const MIRROR = 'http://deb.debian.org/debian';

/** Where this host's apt has its sources. */
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** It takes one to three minutes on an idle machine: most of it is dpkg. */
const BUILD_MS = 20 * 60_000;

/** It runs in its own namespaces, so its mounts and processes end with it, also if it is killed. */
const UNSHARE = ['--mount', '--pid', '--fork', '--kill-child', 'mmdebstrap'];

/** A root filesystem of Debian, which mmdebstrap(1) makes from the packages of Debian's mirror. */
export interface DebianRoot {
  readonly suite: 'bookworm' | 'trixie';
  readonly packages: readonly string[];
  /** A shell command that changes the root, which is its first argument. */
  readonly hook?: string;
}

/**
 * Makes a root. Its /etc/hostname is the host's, as mmdebstrap makes it.
 * @param target a folder that is empty or not there
 * @throws Error with the last words of mmdebstrap
 */
export async function makeDebianRoot({ suite, packages, hook }: DebianRoot, target: string): Promise<void> {
  const source = suite === 'bookworm' ? SOURCES.find((path) => existsSync(path)) : undefined;
  const options = [
    ...['--variant=minbase', '--format=directory', `--include=${packages.join(',')}`],
    // The root need not outlive a crash of the host.
    '--dpkgopt=force-unsafe-io',
    ...(hook ? [`--customize-hook=${hook}`] : []),
  ];
  const made = await run('unshare', [...UNSHARE, ...options, suite, target, source ?? MIRROR], {
    timeoutMs: BUILD_MS,
  });
  if (!made.ok) throw new Error(`mmdebstrap: ${made.failure}\n${made.stderr.slice(-2000)}`);
}

/**
 * Makes an image of a root.
 * @returns its path, in a folder that the caller removes
 */
export async function debianImage(root: DebianRoot, folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, 'root-'));
  const image = join(folder, `${root.suite}-${root.packages[0]}.tar`);
  await mkdir(join(work, 'rootfs'));
  await makeDebianRoot(root, join(work, 'rootfs'));
  await writeFile(join(work, 'metadata.yaml'), METADATA);
  const packed = await run('tar', [
    ...['-C', work, '--exclude=rootfs/dev/*', '-cf', image, 'metadata.yaml', 'rootfs'],
  ]);
  if (!packed.ok) throw new Error(packed.failure);
  await rm(work, { recursive: true });
  return image;
}
