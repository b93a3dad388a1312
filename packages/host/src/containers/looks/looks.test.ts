import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Looks } from './looks.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'porthole-test-looks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (path: string) => join(folder, path);
const { asRoot: look } = new Looks();
function write(path: string, text = 'text'): string {
  writeFileSync(at(path), text);
  return at(path);
}

describe('A look at files', () => {
  it('gives the text of each, whatever its name and size, and of the same file under two names', async () => {
    const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
    mkdirSync(at('d'.repeat(120)));
    const names = ['plain', 'with space*', 'ümläut', long];
    const texts = ['', 'x'.repeat(512), 'é\n', 'y'.repeat(70_000)];
    for (const [index, name] of names.entries()) write(name, texts[index]);
    linkSync(at('plain'), at('again'));
    const looked = await look({ files: [...names, 'again'].map(at) });
    expect([...names, 'again'].map((name) => looked.ownText(at(name)))).toEqual([...texts, '']);
    expect(looked.isOwnFile(at('again'))).toBe(true);
  });

  it('knows what is certainly not there', async () => {
    write('file');
    const looked = await look({ files: [at('file'), at('none'), at('none/below'), at('file/below')] });
    const missing = ['file', 'none', 'none/below', 'file/below'].map((path) => looked.isMissing(at(path)));
    expect(missing).toEqual([false, true, true, false]);
  });

  it('follows no link and waits for no named pipe', async () => {
    symlinkSync(write('file'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    const looked = await look({ files: [at('link'), at('pipe'), at('file')] });
    expect([at('link'), at('pipe')].map((path) => looked.bytes(path))).toEqual([null, null]);
    expect([at('link'), at('pipe')].some((path) => looked.isMissing(path))).toBe(false);
    expect(looked.ownText(at('file'))).toBe('text');
  });

  it('takes the words of no file that others can write, nor of one that is long or no text', async () => {
    chmodSync(write('shared'), 0o666);
    write('long', 'x'.repeat(11));
    writeFileSync(at('binary'), Buffer.from([0xff, 0]));
    const looked = await look({ files: ['shared', 'long', 'binary'].map(at) });
    expect(looked.ownText(at('shared'))).toBe(null);
    expect(looked.bytes(at('shared'))?.toString()).toBe('text');
    expect([looked.ownText(at('long'), 10), looked.ownText(at('long'), 11)]).toEqual([null, 'x'.repeat(11)]);
    expect(looked.ownText(at('binary'))).toBe(null);
  });

  it.each(['relative', '-x', '/with\nline'])('finds nothing at %j', async (path) => {
    expect((await look({ files: [path] })).bytes(path)).toBe(null);
  });

  it('fails if they are too large together, however large they are', async () => {
    truncateSync(write('huge'), 2 ** 40);
    await expect(look({ files: [at('huge')] })).rejects.toThrow('they are too large');
  });
});

describe('A look at folders', () => {
  it('follows a link to one, and says whether others can write it', async () => {
    for (const name of ['own', 'shared']) mkdirSync(at(name));
    chmodSync(at('shared'), 0o777);
    symlinkSync(at('own'), at('link'));
    write('file');
    const looked = await look({ folders: ['own', 'shared', 'link', 'file', 'none'].map(at) });
    expect(['own', 'shared', 'link', 'file', 'none'].map((name) => looked.isOwnFolder(at(name)))).toEqual([
      ...[true, false, true, false, false],
    ]);
    expect(looked.isFolder(at('shared'))).toBe(true);
  });

  it('can give all that is in them', async () => {
    mkdirSync(at('tree/below'), { recursive: true });
    for (const name of ['tree/a', 'tree/b', 'tree/below/c']) write(name, name);
    const looked = await look({ trees: [at('tree')] });
    expect(looked.names(at('tree')).sort()).toEqual(['a', 'b', 'below']);
    expect(looked.ownText(at('tree/b'))).toBe('tree/b');
  });
});

it('only so many looks are made at once; others are refused, and later ones are not', async () => {
  const looks = new Looks();
  const path = write('file');
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => looks.asRoot({ files: [path] })));
  expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(4);
  expect((await looks.asRoot({ files: [path] })).ownText(path)).toBe('text');
});
