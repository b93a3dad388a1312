import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { filter } from '../../process/filter.ts';
import type { Format } from '../formats.ts';

/** An entry: its header, and its content when it is a file. */
export type Entry = Partial<Header> & { readonly name: string } & { readonly content?: string | Buffer };

export const METADATA = 'architecture: amd64\ncreation_date: 1700000000\nproperties:\n  os: tiny\n';

export const file = (name: string, content: string | Buffer = '', more: Partial<Header> = {}): Entry => ({
  name,
  type: 'file',
  content,
  ...more,
});

export const folder = (name: string, more: Partial<Header> = {}): Entry => ({
  name,
  type: 'directory',
  mode: 0o755,
  ...more,
});

export const symlink = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname });

export const hardlink = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname });

export const device = (
  name: string,
  devmajor: number,
  devminor: number,
  type: 'character-device' | 'block-device' = 'character-device',
): Entry => ({ name, type, devmajor, devminor });

/** The entries of a small unified image, and further ones. */
export const unified = (...more: readonly Entry[]): readonly Entry[] => [
  file('metadata.yaml', METADATA),
  folder('rootfs/'),
  folder('rootfs/etc/'),
  file('rootfs/etc/hostname', 'tiny\n'),
  ...more,
];

/** A tar archive of these entries, in this order. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  const packed = buffer(archive as unknown as Readable);
  for (const { content = '', ...header } of entries) {
    const isFile = header.type === 'file' || header.type === 'contiguous-file';
    if (isFile) archive.entry(header, content);
    else archive.entry(header);
  }
  archive.finalize();
  return packed;
}

const COMMANDS: Partial<Record<Format, readonly string[]>> = {
  xz: ['--format=xz', '-0'],
  lzma: ['--format=lzma', '-0'],
  bzip2: [],
};

/** Compresses bytes into a format. */
export async function compress(bytes: Buffer, format: Exclude<Format, 'squashfs'>): Promise<Buffer> {
  if (format === 'gzip') return gzipSync(bytes);
  if (format === 'zstd') return zstdCompressSync(bytes);
  const args = COMMANDS[format];
  if (!args) return bytes;
  const child = filter(format === 'bzip2' ? 'bzip2' : 'xz', ['-c', ...args]);
  child.input.end(bytes);
  return buffer(child.output);
}

/**
 * A squashfs of the folder at `path`, written to `to`.
 * @param pseudo files that only root could have in a folder, as mksquashfs(1) takes them
 */
export async function squashfsOf(path: string, to: string, pseudo: readonly string[] = []): Promise<void> {
  const options = ['-noappend', '-quiet', '-no-progress', '-processors', '1'];
  const child = filter('mksquashfs', [path, to, ...options, ...pseudo.flatMap((each) => ['-p', each])]);
  child.output.resume();
  const { ok, failure } = await child.ended;
  if (!ok) throw new Error(failure);
}

/** A folder under /var/tmp that every user can reach, removed at the end of its scope. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp('/var/tmp/porthole-images-');
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Writes files below a folder, and makes their parent folders. */
export async function writeTree(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

/** A stream that never ends after these bytes. */
export function stalled(bytes: Buffer): Readable {
  const stream = new Readable({ read() {} });
  stream.push(bytes);
  return stream;
}

export const sha256 = (...parts: readonly Buffer[]) =>
  createHash('sha256').update(Buffer.concat(parts)).digest('hex');
