import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { DEFAULT_LIMITS } from './image-limits.ts';
import { readTar, type TarEntry } from './tar-reader.ts';
import { encodeHeader, paddingOf, TAR_END } from './tar-writer.ts';
import { tarOf, unified } from './testing/archives.ts';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(bytes: Buffer, pieceBytes = 10_000) {
  const found: (Omit<TarEntry, 'body' | 'major' | 'minor'> & { content: string })[] = [];
  for await (const { body, major: _major, minor: _minor, ...entry } of readTar(
    inPieces(bytes, pieceBytes),
    DEFAULT_LIMITS,
  )) {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    found.push({ ...entry, content: Buffer.concat(pieces).toString('latin1') });
  }
  return found;
}

const latin1 = (maxLength: number) =>
  fc.uint8Array({ min: 1, minLength: 1, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const entries = fc.array(
  fc.record({
    name: latin1(300).map((name) => `./${name}x`),
    linkName: latin1(300),
    kind: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'fifo'),
    mode: fc.nat(0o7777),
    uid: fc.nat(65_535),
    gid: fc.nat(65_535),
    mtime: fc.nat(0x7fffffff),
    xattrs: fc.array(fc.tuple(fc.stringMatching(/^user\.[a-z]{1,8}$/), latin1(200)), { maxLength: 1 }),
    content: fc.oneof(fc.constant(''), latin1(1500)),
  }),
  { maxLength: 5 },
);

it('the reader reads what the writer writes, cut into pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.integer({ min: 1, max: 3000 }), async (list, pieceBytes) => {
      const wanted = list.map((entry) => {
        const content = entry.kind === 'file' ? entry.content : '';
        return { ...entry, kind: entry.kind as 'file', content, size: content.length };
      });
      const blocks = wanted.flatMap(({ content, ...header }) => {
        return [encodeHeader(header), Buffer.from(content, 'latin1'), paddingOf(content.length)];
      });
      expect(await readAll(Buffer.concat([...blocks, TAR_END]), pieceBytes)).toEqual(wanted);
    }),
    { numRuns: 100 },
  );
});

it('an archive with changed bytes is read, or refused with a coded error', async () => {
  const tar = await tarOf(unified());
  const changes = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const changed = Buffer.from(tar);
      for (const [at, byte] of list) changed[at] = byte;
      await readAll(changed).catch((error) => expect(error).toBeInstanceOf(CodedError));
    }),
    { numRuns: 100 },
  );
});

it('a size of 8 GiB and more is written in base 256', () => {
  const size = 20 * 1024 ** 3;
  const header = encodeHeader({
    name: 'x',
    kind: 'file',
    linkName: '',
    mode: 0,
    uid: 0,
    gid: 0,
    size,
    mtime: 0,
    xattrs: [],
  });
  expect(header[124]).toBe(0x80);
  expect(Number(header.readBigUInt64BE(128))).toBe(size);
});

it('content that is not read is skipped', async () => {
  const names: string[] = [];
  for await (const { name } of readTar(inPieces(await tarOf(unified()), 100), DEFAULT_LIMITS))
    names.push(name);
  expect(names).toEqual(['metadata.yaml', 'rootfs/', 'rootfs/etc/', 'rootfs/etc/hostname']);
});
