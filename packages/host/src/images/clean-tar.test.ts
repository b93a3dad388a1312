import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { readArchive } from './archive.ts';
import { cleanTar, EntryReplaced } from './clean-tar.ts';
import { DEFAULT_LIMITS } from './image-limits.ts';
import { lastEntries } from './last-entries.ts';
import { readTar, type TarEntry } from './tar-reader.ts';
import { type Entry, file, folder, hardlink, symlink, tarOf } from './testing/archives.ts';

async function* chunksOf(tar: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < tar.length; at += 1000) yield tar.subarray(at, at + 1000);
}

/** The archive that is given to the tool, as it is when entries replace others. */
async function clean(tar: Buffer): Promise<Buffer> {
  const last = await lastEntries(chunksOf(tar), 'rootfs', DEFAULT_LIMITS);
  const pieces: Buffer[] = [];
  for await (const piece of cleanTar(chunksOf(tar), 'rootfs', DEFAULT_LIMITS, last)) pieces.push(piece);
  return Buffer.concat(pieces);
}

interface Thing {
  readonly kind: TarEntry['kind'];
  readonly content: string;
}

/** What is at each path after all entries, as a file system would have it: hard links share a thing. */
async function outcome(tar: Buffer): Promise<{ tree: Record<string, Thing>; groups: string[][] }> {
  const tree = new Map<string, Thing>();
  for await (const { name, kind, linkName, body } of readTar(chunksOf(tar), DEFAULT_LIMITS)) {
    const [path, target] = [name, linkName].map((each) =>
      each.split('/').filter((part) => /[^.]/.test(part)),
    );
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    const content = kind === 'file' ? Buffer.concat(pieces).toString() : kind === 'symlink' ? linkName : '';
    const thing = kind === 'hardlink' ? tree.get(target!.join('/'))! : { kind, content };
    put(tree, path!, thing);
  }
  const things = [...new Set(tree.values())].filter(({ kind }) => kind !== 'directory');
  const pathsOf = (thing: Thing) => [...tree.keys()].filter((path) => tree.get(path) === thing).sort();
  return { tree: Object.fromEntries(tree), groups: things.map(pathsOf).sort() };
}

function put(tree: Map<string, Thing>, path: string[], thing: Thing): void {
  const key = path.join('/');
  if (key === '') return;
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth).join('/');
    if (!tree.has(parent)) tree.set(parent, { kind: 'directory', content: '' });
  }
  if (tree.get(key)?.kind === 'directory' && thing.kind === 'directory') return;
  for (const other of tree.keys()) if (other.startsWith(`${key}/`)) tree.delete(other);
  tree.set(key, thing);
}

const NAMES = ['a', './b', '/c', 'a/x', '//b/x', 'c/x', 'a/x/1', 'b/x/1'];
const name = fc.constantFrom(...NAMES);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(name, fc.stringMatching(/^[a-z]{0,3}$/)).map(([path, content]) => file(path, content)),
  name.map((path) => folder(path)),
  fc.tuple(name, fc.constantFrom('/etc', '../..', 'x')).map(([path, target]) => symlink(path, target)),
  fc.tuple(name, name).map(([path, target]) => hardlink(path, target)),
);

/** The entries, without those that are refused at their place. */
async function accepted(entries: readonly Entry[]): Promise<Buffer> {
  let kept: Entry[] = [];
  for (const each of entries) {
    const tried = [...kept, each];
    const items = readArchive(chunksOf(await tarOf(tried)), 'rootfs', DEFAULT_LIMITS);
    const failed = await Array.fromAsync(items).then(
      () => null,
      (error: unknown) => error,
    );
    if (!failed) kept = tried;
    else expect(failed).toBeInstanceOf(CodedError);
  }
  return tarOf(kept);
}

it('whatever replaces what, the tool gets each path once, with what is there at the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 14 }), async (entries) => {
      const tar = await accepted(entries);
      const cleaned = await clean(tar);
      const paths: string[] = [];
      for await (const { name: path, kind } of readTar(chunksOf(cleaned), DEFAULT_LIMITS)) {
        if (kind !== 'directory') paths.push(path);
      }
      expect(paths).toEqual([...new Set(paths)]);
      expect(await outcome(cleaned)).toEqual(await outcome(tar));
    }),
    { numRuns: 150 },
  );
});

it('a file that is replaced remains under the other names that it has', async () => {
  const tar = await tarOf([file('a', 'one'), hardlink('b', 'a'), hardlink('c', '/b'), file('a', 'two')]);
  const { tree, groups } = await outcome(await clean(tar));
  expect([tree['a']?.content, tree['b']?.content]).toEqual(['two', 'one']);
  expect(groups).toEqual([['a'], ['b', 'c']]);
});

it.each<[what: string, isReplaced: boolean, entries: readonly Entry[]]>([
  ['a file twice', true, [file('a'), file('a')]],
  ['a link in place of a folder', true, [file('a/b'), symlink('a', '/')]],
  ['a folder in place of a link', true, [symlink('a', '/'), folder('a')]],
  ['a folder twice', false, [folder('a'), file('a/b'), folder('a')]],
  ['a folder after its files', false, [file('a/b'), folder('a')]],
  ['a hard link to itself', false, [file('a'), hardlink('a', 'a'), hardlink('b', 'a'), hardlink('a', 'b')]],
])('%s needs a look at the whole archive: %s', async (_what, isReplaced, entries) => {
  const pieces = Array.fromAsync(cleanTar(chunksOf(await tarOf(entries)), 'rootfs', DEFAULT_LIMITS));
  if (isReplaced) await expect(pieces).rejects.toThrow(EntryReplaced);
  else await pieces;
});
