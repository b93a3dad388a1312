import { createHash } from 'node:crypto';
import { access, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { stringify } from 'yaml';
import { run } from '../process/run.ts';
import { busyboxTree, type Programs, type TreeEntry } from './tree.ts';

export interface BuildOptions {
  /** The file to write; its name should end in `.tar.gz`. */
  readonly path: string;
  /** Gets the percentage, and what is being done. */
  onProgress(percent: number, what: string): void;
  /** The host's programs to use; those of Debian's packages when absent. */
  readonly programs?: Programs;
}

/** The image that has been written. */
export interface BuiltImage {
  readonly fingerprint: string;
  /** Bytes. */
  readonly size: number;
  /** As in its metadata. */
  readonly properties: Readonly<Record<string, string>>;
}

const DEBIAN_PROGRAMS: Programs = { busybox: '/bin/busybox', netcat: '/bin/nc.openbsd' };

/** Debian packages to name when a program is missing. */
const PACKAGES = { busybox: 'busybox-static', netcat: 'netcat-openbsd' } as const;

/** Debian's names of the architectures that have another name in Node. */
const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'i386',
  arm: 'armhf',
  ppc64: 'ppc64el',
};

const GZIP_LEVEL = 9;
const MS_PER_SECOND = 1000;

/**
 * Builds a unified image from this host's busybox, with `devlxd` in it to ask the guest API. The same
 * programs make the same bytes: all times are that of the busybox file, and entries are sorted.
 * @throws Error that names the Debian package when a program is missing
 */
export async function buildBusybox(options: BuildOptions): Promise<BuiltImage> {
  const { path, onProgress, programs = DEBIAN_PROGRAMS } = options;
  onProgress(0, 'Collecting files');
  await checkPrograms(programs);
  const mtime = new Date(Math.floor((await stat(programs.busybox)).mtimeMs / MS_PER_SECOND) * MS_PER_SECOND);
  const properties = await propertiesOf(programs.busybox);
  const tree = await busyboxTree(programs, await appletsOf(programs.busybox), osRelease(properties));
  onProgress(20, 'Packing');
  const archive = await packImage(metadataOf(properties, mtime), tree, mtime);
  onProgress(40, 'Compressing');
  const bytes = await promisify(gzip)(archive, { level: GZIP_LEVEL });
  onProgress(90, 'Writing');
  await writeFile(path, bytes);
  onProgress(100, 'Done');
  return { fingerprint: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, properties };
}

async function checkPrograms(programs: Programs): Promise<void> {
  for (const name of ['busybox', 'netcat'] as const) {
    const isThere = await access(programs[name]).then(
      () => true,
      () => false,
    );
    if (!isThere) throw new Error(`${programs[name]} is not there: install the package ${PACKAGES[name]}`);
  }
}

async function appletsOf(busybox: string): Promise<readonly string[]> {
  const { ok, stdout, failure } = await run(busybox, ['--list']);
  if (!ok) throw new Error(failure);
  return stdout.split('\n').filter((line) => line !== '');
}

/** The first line of busybox's help is `BusyBox vVERSION (DISTRIBUTION'S VERSION) multi-call binary.` */
async function propertiesOf(busybox: string): Promise<Record<string, string>> {
  const { stdout } = await run(busybox, ['--help']);
  const release = /^BusyBox v(\S+)/.exec(stdout)?.[1];
  if (!release) throw new Error(`${busybox} is not busybox`);
  const architecture = DEBIAN_ARCHITECTURES[arch()] ?? arch();
  const description = `BusyBox ${release} ${architecture}, with devlxd`;
  return { os: 'BusyBox', release, architecture, description };
}

function metadataOf(properties: BuiltImage['properties'], mtime: Date): string {
  return stringify({
    architecture: properties['architecture'],
    creation_date: mtime.getTime() / MS_PER_SECOND,
    properties,
  });
}

function osRelease(properties: BuiltImage['properties']): string {
  const { os, release } = properties;
  return `ID=busybox\nNAME="${os}"\nVERSION_ID="${release}"\nPRETTY_NAME="${os} ${release}"\n`;
}

function packImage(metadata: string, tree: readonly TreeEntry[], mtime: Date): Promise<Buffer> {
  const archive = pack();
  const packed = buffer(archive as unknown as Readable);
  const same = { uid: 0, gid: 0, mtime };
  archive.entry({ ...same, name: 'metadata.yaml', mode: 0o644, size: Buffer.byteLength(metadata) }, metadata);
  for (const { header, content } of tree) {
    const name = `rootfs/${header.name}`;
    if (content) archive.entry({ ...same, ...header, name, size: content.length }, content);
    else archive.entry({ ...same, ...header, name });
  }
  archive.finalize();
  return packed;
}
