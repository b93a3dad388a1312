import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import type { Format } from './formats.ts';
import {
  compress,
  file,
  folder,
  METADATA,
  sha256,
  squashfsOf,
  stalled,
  tarOf,
  temporaryFolder,
  unified,
  writeTree,
} from './testing/archives.ts';
import { openDirectory, receive, splitUpload, unifiedUpload } from './testing/receive.ts';

type Compression = Exclude<Format, 'squashfs'>;

const EXTENSIONS: Readonly<Record<Compression, string>> = {
  gzip: '.tar.gz',
  bzip2: '.tar.bz2',
  xz: '.tar.xz',
  lzma: '.tar.lzma',
  zstd: '.tar.zst',
  tar: '.tar',
};
const COMPRESSIONS = Object.entries(EXTENSIONS) as readonly [Compression, string][];

let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
let dir: string;

beforeEach(async () => {
  scratch = await temporaryFolder();
  dir = join(scratch.path, 'images');
});
afterEach(async () => {
  const left = (await readdir(dir)).filter((name) => name.startsWith('.stage-'));
  await scratch[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

/** Random, so that no compression makes it small. */
const sized = (bytes: number) => unified(file('rootfs/blob', randomBytes(bytes)));
const metadataTar = () => tarOf([file('metadata.yaml', METADATA)]);
const rootTar = () => tarOf([folder('./'), folder('etc'), file('etc/hostname', 'tiny\n')]);

describe('a unified image', () => {
  it.each(COMPRESSIONS)('is received when its archive is %s', async (format, extension) => {
    const directory = await openDirectory(dir);
    const bytes = await compress(await tarOf(sized(20_000)), format);
    const totals: number[] = [];
    const checked: number[] = [];
    const staged = await receive(directory, unifiedUpload(bytes, '/tmp/tiny.tar'), {
      onBytes: (total) => totals.push(total),
      onStored: () => expect([totals.at(-1), checked]).toEqual([bytes.length, []]),
      onChecked: (percent) => checked.push(percent),
    });
    expect(staged).toMatchObject({
      fingerprint: sha256(bytes),
      size: bytes.length,
      filename: 'tiny.tar',
      files: { kind: 'unified', extension },
      metadata: {
        architecture: 'x86_64',
        createdAt: '2023-11-14T22:13:20Z',
        expiresAt: '1970-01-01T00:00:00Z',
        properties: { os: 'tiny' },
      },
    });
    expect(totals.at(-1)).toBe(bytes.length);
    expect(checked).toEqual([...checked].sort((one, other) => one - other));
    expect(checked.at(-1)).toBe(100);
    await directory.publish(staged);
    const [path] = directory.paths(staged);
    expect(await readFile(path!)).toEqual(bytes);
  });

  it.each(COMPRESSIONS)('is refused when its %s ends early, at any byte', async (format) => {
    const directory = await openDirectory(dir);
    const tar = await tarOf(sized(4000));
    const bytes = await compress(tar, format);
    // The end mark of a plain archive is two blocks, and one of them is enough.
    const whole = format === 'tar' ? bytes.length - 512 : bytes.length;
    const cuts = [1, 511, 512, whole >> 1, whole - 513, whole - 1];
    for (const cut of cuts.filter((at) => at > 0)) {
      const upload = receive(directory, unifiedUpload(bytes.subarray(0, cut)));
      await expect(upload, `cut at ${cut} of ${bytes.length}`).rejects.toMatchObject({
        code: 'image-invalid',
      });
    }
  });

  it.each([
    ['gzip', false],
    ['xz', false],
    ['bzip2', true],
    ['zstd', true],
    ['tar', true],
  ] as const)('with garbage after its %s is accepted: %s', async (format, isTaken) => {
    const directory = await openDirectory(dir);
    const bytes = await compress(await tarOf(unified()), format);
    const upload = receive(directory, unifiedUpload(Buffer.concat([bytes, Buffer.from('garbage')])));
    if (!isTaken) return expect(upload).rejects.toMatchObject({ code: 'image-invalid' });
    return directory.discard(await upload);
  });

  it.each(['gzip', 'xz', 'zstd', 'bzip2'] as const)(
    'is refused when its %s expands beyond the limit',
    async (format) => {
      const directory = await openDirectory(dir, { unpackedBytes: 1024 * 1024 });
      const tar = await tarOf(unified(file('rootfs/zeros', Buffer.alloc(4 * 1024 * 1024))));
      const bomb = await compress(tar, format);
      expect(bomb.length).toBeLessThan(1024 * 1024);
      await expect(receive(directory, unifiedUpload(bomb))).rejects.toMatchObject({
        code: 'image-too-large',
      });
    },
  );

  it('is refused when garbage after its end mark expands beyond the limit', async () => {
    const directory = await openDirectory(dir, { unpackedBytes: 1024 * 1024 });
    const bytes = gzipSync(Buffer.concat([await tarOf(unified()), Buffer.alloc(4 * 1024 * 1024)]));
    await expect(receive(directory, unifiedUpload(bytes))).rejects.toMatchObject({ code: 'image-too-large' });
  });

  it('is refused when the upload itself is too large', async () => {
    const directory = await openDirectory(dir, { uploadedBytes: 10_000 });
    const upload = receive(directory, unifiedUpload(await tarOf(sized(10_000))));
    await expect(upload).rejects.toMatchObject({ code: 'image-too-large', status: 413 });
  });

  it.each([
    ['EOF', Buffer.alloc(0)],
    ['Unsupported compression', Buffer.from('PK\x03\x04 is a zip file')],
    ['Unsupported compression', Buffer.from('hsqs: a squashfs has no metadata')],
    ['Images are made from uploads only', Buffer.from('{"source":{"type":"url"}}')],
  ])('is refused with %s', async (text, bytes) => {
    const directory = await openDirectory(dir);
    await expect(receive(directory, unifiedUpload(bytes))).rejects.toThrow(text);
  });

  it.each([
    ['Metadata tarball is missing metadata.yaml', [folder('rootfs/')]],
    ['the root filesystem (rootfs/) is missing', [file('metadata.yaml', METADATA)]],
    [
      "Architecture isn't supported: pdp11",
      unified(file('./metadata.yaml', METADATA.replace('amd64', 'pdp11'))),
    ],
    ['Missing creation date', [file('metadata.yaml', 'architecture: amd64\n'), folder('rootfs')]],
    [
      "Architecture isn't supported: vax",
      [file('metadata.yaml', METADATA.replace('amd64', 'vax')), folder('rootfs')],
    ],
    [
      'metadata.yaml is too long',
      [file('metadata.yaml', `${METADATA}#${'x'.repeat(300_000)}`), folder('rootfs')],
    ],
  ])('is refused with %s', async (text, entries) => {
    const directory = await openDirectory(dir);
    await expect(receive(directory, unifiedUpload(await tarOf(entries)))).rejects.toThrow(text);
  });

  it('is refused when its fingerprint is not the expected one', async () => {
    const directory = await openDirectory(dir);
    const bytes = await tarOf(unified());
    const upload = receive(directory, unifiedUpload(bytes), { fingerprint: 'a'.repeat(64) });
    await expect(upload).rejects.toThrow(`expected ${'a'.repeat(64)}, got ${sha256(bytes)}`);
    const again = await receive(directory, unifiedUpload(bytes), {
      fingerprint: sha256(bytes).toUpperCase(),
    });
    await directory.discard(again);
  });

  it('leaves nothing when it is cancelled while the upload stalls', async () => {
    const directory = await openDirectory(dir);
    const cancel = new AbortController();
    const data = stalled(await tarOf(unified()));
    const upload = receive(
      directory,
      { kind: 'unified', filename: '', data },
      {
        signal: cancel.signal,
        onBytes: () => cancel.abort(new Error('cancelled')),
      },
    );
    await expect(upload).rejects.toThrow('cancelled');
    expect(data.destroyed).toBe(false);
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('a split image', () => {
  it('has the hash of both files in sequence, and the file name of its root filesystem', async () => {
    const directory = await openDirectory(dir);
    const metadata = await compress(await metadataTar(), 'xz');
    const root = await compress(await rootTar(), 'gzip');
    const staged = await receive(directory, splitUpload(['metadata', metadata], ['rootfs', root]));
    expect(staged).toMatchObject({
      fingerprint: sha256(metadata, root),
      size: metadata.length + root.length,
      filename: 'rootfs.file',
      files: { kind: 'split', metadataExtension: '.tar.xz', rootfsExtension: '.tar.gz' },
    });
    await directory.publish(staged);
    const paths = directory.paths(staged);
    expect(await Promise.all(paths.map((path) => readFile(path)))).toEqual([metadata, root]);
  });

  it('may have a squashfs, which is checked to its end', async () => {
    const directory = await openDirectory(dir);
    await writeTree(join(scratch.path, 'root'), {
      'etc/hostname': 'tiny',
      blob: randomBytes(200_000).toString('hex'),
    });
    await squashfsOf(join(scratch.path, 'root'), join(scratch.path, 'root.squashfs'));
    const bytes = await readFile(join(scratch.path, 'root.squashfs'));
    const staged = await receive(
      directory,
      splitUpload(['metadata', await metadataTar()], ['rootfs', bytes]),
    );
    expect(staged.files).toEqual({ kind: 'split', metadataExtension: '.tar', rootfsExtension: '.squashfs' });
    await directory.discard(staged);
    const damaged = Buffer.from(bytes).fill(0x55, 50_000, 50_100);
    for (const bad of [bytes.subarray(0, 50), bytes.subarray(0, 60_000), damaged]) {
      const upload = receive(directory, splitUpload(['metadata', await metadataTar()], ['rootfs', bad]));
      await expect(upload).rejects.toMatchObject({ code: 'image-invalid' });
    }
    const strict = await openDirectory(dir, { unpackedBytes: 100_000 });
    const large = receive(strict, splitUpload(['metadata', await metadataTar()], ['rootfs', bytes]));
    await expect(large).rejects.toMatchObject({ code: 'image-too-large' });
  });

  it('is refused when its parts are not metadata and then rootfs', async () => {
    const directory = await openDirectory(dir);
    const part = await rootTar();
    const refused = [
      splitUpload(),
      splitUpload(['rootfs', part]),
      splitUpload(['metadata', await metadataTar()]),
      splitUpload(['metadata', await metadataTar()], ['metadata', part]),
      splitUpload(['metadata', await metadataTar()], ['rootfs', part], ['rootfs', part]),
    ];
    for (const upload of refused)
      await expect(receive(directory, upload)).rejects.toThrow('Invalid multipart image');
  });

  it('of a virtual machine is refused by name', async () => {
    const directory = await openDirectory(dir);
    const upload = splitUpload(['metadata', await metadataTar()], ['rootfs.img', Buffer.from('QFI')]);
    await expect(receive(directory, upload)).rejects.toThrow('Images of virtual machines (rootfs.img)');
  });
});

describe('the folder', () => {
  it('is closed to others, and so is an upload in progress', async () => {
    const directory = await openDirectory(dir);
    const staged = await receive(directory, unifiedUpload(await tarOf(unified())));
    const modes = await Promise.all(
      [dir, staged.directory].map(async (path) => (await stat(path)).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o700]);
    await directory.discard(staged);
  });

  it('accepts an image only once', async () => {
    const directory = await openDirectory(dir);
    const bytes = await tarOf(unified());
    await directory.publish(await receive(directory, unifiedUpload(bytes)));
    const again = await receive(directory, unifiedUpload(bytes));
    await expect(directory.publish(again)).rejects.toMatchObject({ code: 'image-exists' });
    expect(await readdir(dir)).toEqual([sha256(bytes)]);
  });

  it('loses an image when it is removed, and a second removal is not an error', async () => {
    const directory = await openDirectory(dir);
    const staged = await receive(directory, unifiedUpload(await tarOf(unified())));
    await directory.publish(staged);
    await directory.remove(staged.fingerprint);
    await directory.remove(staged.fingerprint);
    expect(await readdir(dir)).toEqual([]);
  });

  it('loses leftovers at a start, but neither known images nor files of others', async () => {
    const directory = await openDirectory(dir);
    const staged = await receive(directory, unifiedUpload(await tarOf(unified())));
    await directory.publish(staged);
    await mkdir(join(dir, 'b'.repeat(64)));
    await mkdir(join(dir, '.stage-dead'));
    await writeFile(join(dir, '.stage-dead', 'image'), 'half');
    await mkdir(join(dir, 'lost+found'));
    await directory.sweep(await directory.takeAside(new Set([staged.fingerprint])));
    expect((await readdir(dir)).sort()).toEqual([staged.fingerprint, 'lost+found']);
  });

  it('accepts an image again while its leftovers are still being removed', async () => {
    const first = await openDirectory(dir);
    const upload = async () => unifiedUpload(await tarOf(unified()));
    await first.publish(await receive(first, await upload()));
    const directory = await openDirectory(dir);
    const aside = await directory.takeAside(new Set());
    const staged = await receive(directory, await upload());
    await directory.publish(staged);
    await directory.sweep(aside);
    expect(await readdir(dir)).toEqual([staged.fingerprint]);
  });

  it('gives no path for an invalid fingerprint', async () => {
    const directory = await openDirectory(dir);
    const files = { kind: 'unified', extension: '.tar' } as const;
    expect(() => directory.paths({ fingerprint: '../../etc', files })).toThrow('Image not found');
    await expect(directory.remove('..')).rejects.toThrow('Image not found');
  });
});
