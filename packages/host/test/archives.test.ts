import { chmod, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test as it } from 'vitest';
import type { ImageDirectory } from '../src/images/image-directory.ts';
import { sha256, temporaryFolder } from '../src/images/testing/archives.ts';
import { openDirectory, receive, unifiedUpload } from '../src/images/testing/receive.ts';
import { run } from '../src/process/run.ts';
import { cycles } from './harness/cycles.ts';
import { HABITS, type Habit, makeArchive, makeTree } from './harness/real-archives.ts';

const IDS = { uid: 1_000_000, gid: 2_000_000 };

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let directory: ImageDirectory;
let target: string;
const trees = new Map<string, string>();

beforeAll(async () => {
  scratch = await temporaryFolder();
  directory = await openDirectory(join(scratch.path, 'images'));
  target = join(scratch.path, 'roots', 'root');
  await mkdir(join(scratch.path, 'roots'));
  await chmod(join(scratch.path, 'roots'), 0o711);
  for (const tree of ['short', 'plain', 'long', 'full'] as const) {
    trees.set(tree, await makeTree(scratch.path, tree));
  }
});
afterEach(async () => rm(target, { recursive: true, force: true }));
afterAll(async () => scratch?.[Symbol.asyncDispose]());

it.each(
  HABITS.filter(({ rare = false }) => cycles(!rare, true)).map((habit) => [habit.name, habit] as const),
)('%s: is unpacked as it was packed', async (_, habit) => {
  const archive = join(scratch.path, 'image.tar');
  const from = trees.get(habit.tree)!;
  await makeArchive(habit, from, archive);
  const staged = await receive(directory, unifiedUpload(await readFile(archive)));
  await directory.publish(staged);
  await directory.unpack(staged, target, IDS, () => {}, new AbortController().signal);
  const wanted = await factsBelow(join(from, 'rootfs'), { uid: 0, gid: 0 }, habit);
  expect(await factsBelow(target, IDS, habit)).toEqual(wanted);
  if (habit.sparse) expect((await lstat(join(target, 'srv/holes'))).blocks).toBeLessThan(2000);
  await directory.remove(staged.fingerprint);
});

/** All that a root filesystem has below its top, as text. */
async function factsBelow(root: string, ids: { uid: number; gid: number }, habit: Habit): Promise<string[]> {
  const names = (await readdir(Buffer.from(root), { recursive: true, encoding: 'buffer' })) as Buffer[];
  const facts = await Promise.all(
    names.map(async (name) => {
      const path = Buffer.concat([Buffer.from(`${root}/`), name]);
      const stat = await lstat(path);
      const shown = [name.toString('latin1'), stat.mode.toString(8), stat.uid - ids.uid, stat.gid - ids.gid];
      if (stat.isDirectory()) return habit.filesOnly ? '' : shown.join(' ');
      const content = stat.isFile() ? sha256(await readFile(path)).slice(0, 8) : '';
      const links = stat.isSymbolicLink() ? '' : stat.nlink;
      return [...shown, stat.size, links, content].join(' ');
    }),
  );
  return [
    ...facts.filter((fact) => fact !== '').sort(),
    ...(habit.tree === 'full' ? await xattrs(root) : []),
  ];
}

/** What the kernel adds to a capability of version 2: the version, and the host id of its root user. */
const CAPABILITY = /0x01000003(\w{32})40420f00/;

/** Attributes of all files. */
async function xattrs(root: string): Promise<string[]> {
  const search = ['--recursive', '--physical', '--no-dereference', '--encoding=hex', '--match=-', '.'];
  const { stdout } = await run('getfattr', ['--dump', ...search], { cwd: root });
  return stdout
    .split('\n')
    .map((line) => line.replace(CAPABILITY, '0x01000002$1'))
    .sort();
}
