import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { run } from '../process/run.ts';
import { type BuiltImage, buildBusybox } from './busybox.ts';
import { sharedLibraries } from './elf.ts';

/** netcat is not run here, so any program with shared libraries will do. */
const PROGRAMS = { busybox: '/bin/busybox', netcat: '/usr/bin/xz' };

let dir: string;
let path: string;
let built: BuiltImage;
/** The percentages of the progress reports. */
const percents: number[] = [];

beforeAll(async () => {
  dir = await mkdtemp('/var/tmp/porthole-build-');
  path = join(dir, 'busybox.tar.gz');
  built = await buildBusybox({ path, programs: PROGRAMS, onProgress: (at) => percents.push(at) });
});
afterAll(() => rm(dir, { recursive: true }));

/** Builds another image. */
const build = (programs = PROGRAMS) =>
  buildBusybox({ path: join(dir, 'another.tar.gz'), programs, onProgress: () => {} });

async function list(): Promise<string> {
  return (await run('tar', ['--list', '--verbose', '--numeric-owner', '--file', path])).stdout;
}

it('the file has the fingerprint and size that are returned, and progress ends at 100', async () => {
  const bytes = await readFile(path);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(built.fingerprint);
  expect(bytes.length).toBe(built.size);
  expect(percents[0]).toBe(0);
  expect(percents.at(-1)).toBe(100);
});

it('the same programs make the same bytes', async () => {
  expect((await build()).fingerprint).toBe(built.fingerprint);
});

it('another busybox makes other bytes', async () => {
  const busybox = join(dir, 'busybox');
  await copyFile('/bin/busybox', busybox);
  await utimes(busybox, 1_600_000_000, 1_600_000_000);
  expect((await build({ ...PROGRAMS, busybox })).fingerprint).not.toBe(built.fingerprint);
});

it('the metadata has all that an image needs', async () => {
  const { properties } = built;
  const { stdout } = await run('tar', ['--extract', '--to-stdout', '--file', path, 'metadata.yaml']);
  expect(stdout).toMatch(/^architecture: \w+\ncreation_date: [1-9][0-9]{8,}\nproperties:\n {2}os: BusyBox\n/);
  expect(properties).toMatchObject({ os: 'BusyBox', release: expect.stringMatching(/^1\.\d+\.\d+$/) });
});

it('the root filesystem has all that an instance needs to start, all owned by root', async () => {
  const lines = (await list()).split('\n');
  for (const wanted of [
    /^-rwxr-xr-x 0\/0 .* rootfs\/bin\/busybox$/,
    /^lrwxrwxrwx 0\/0 .* rootfs\/bin\/sh -> busybox$/,
    /^-rwxr-xr-x 0\/0 .* rootfs\/sbin\/init$/,
    /^-rwxr-xr-x 0\/0 .* rootfs\/usr\/bin\/devlxd$/,
    /^drwxrwxrwt 0\/0 .* rootfs\/tmp$/,
    /^drwx------ 0\/0 .* rootfs\/root$/,
    /^drwxr-xr-x 0\/0 .* rootfs\/dev$/,
    /^dr-xr-xr-x 0\/0 .* rootfs\/proc$/,
    /^-rw-r--r-- 0\/0 .* rootfs\/etc\/passwd$/,
    /^-rwxr-xr-x 0\/0 .* rootfs\/lib.*\/libc\.so\.6$/,
  ]) {
    expect(
      lines.filter((line) => wanted.test(line)),
      String(wanted),
    ).toHaveLength(1);
  }
  expect(lines.filter((line) => line !== '' && !line.includes(' 0/0 '))).toEqual([]);
  expect(lines.filter((line) => line.includes('rootfs/bin/init'))).toEqual([]);
});

it('each folder comes before its contents', async () => {
  const { stdout } = await run('tar', ['--list', '--file', path]);
  const names = stdout.split('\n').filter((name) => name.startsWith('rootfs/'));
  const seen = new Set<string>();
  for (const name of names.map((name) => name.replace(/\/$/, ''))) {
    if (name !== 'rootfs') expect(seen).toContain(name.slice(0, name.lastIndexOf('/')));
    seen.add(name);
  }
});

it('a missing program is named with its package', async () => {
  await expect(build({ ...PROGRAMS, netcat: '/nonexistent/nc' })).rejects.toThrow(
    'install the package netcat-openbsd',
  );
  await expect(build({ ...PROGRAMS, busybox: '/nonexistent/bb' })).rejects.toThrow(
    'install the package busybox-static',
  );
});

it('a program that is not busybox is refused', async () => {
  await expect(build({ ...PROGRAMS, busybox: '/bin/cat' })).rejects.toThrow('/bin/cat is not busybox');
});

it('libraries are found with the loader, and a static program has none', async () => {
  const libraries = await sharedLibraries('/usr/bin/xz');
  expect(libraries).toContainEqual(expect.stringMatching(/^\/.*\/libc\.so\.6$/));
  expect(libraries).toContainEqual(expect.stringMatching(/^\/lib.*\/ld-linux.*\.so\.\d$/));
  expect(await sharedLibraries('/bin/busybox')).toEqual([]);
  await expect(sharedLibraries('/nonexistent')).rejects.toThrow();
});
