import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';

const CHILD = new URL('./file-child.mjs', import.meta.url).href;
const LIMITED = 'ulimit -f "$1" && shift && exec "$@"';

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync('/var/tmp/porthole-test-fill-');
});
afterEach(() => {
  fs.rmSync(root, { recursive: true });
});

const file = (path: string, part: object = {}) => ({
  path,
  text: 'new',
  createOnly: false,
  mayFail: true,
  ...part,
});

/** Makes the child write files into the folder. @param blocks size limit of a file, in blocks of 512 bytes */
async function fill(files: readonly object[], blocks = 1_000): Promise<unknown> {
  const folder = fs.openSync(root, fs.constants.O_RDONLY);
  const request = JSON.stringify({ work: 'fill', path: '' });
  const program = [process.execPath, '--input-type=module', '-e', `import ${JSON.stringify(CHILD)}`, request];
  const child = spawn('sh', ['-c', LIMITED, 'sh', String(blocks), ...program], {
    stdio: ['pipe', 'inherit', 'inherit', folder, 'pipe'],
  });
  fs.closeSync(folder);
  child.stdin?.end(JSON.stringify(files));
  const [answer] = await Promise.all([textOf(child.stdio[4] as Readable), once(child, 'exit')]);
  return JSON.parse(answer);
}

const read = (path: string) => fs.readFileSync(join(root, path), 'utf8');

it('replaces an existing file as a whole, also through a link, and keeps its mode', async () => {
  fs.mkdirSync(join(root, 'real'));
  fs.writeFileSync(join(root, 'real/a'), 'old');
  fs.chmodSync(join(root, 'real/a'), 0o4755);
  fs.symlinkSync('/real/a', join(root, 'link'));
  const before = fs.statSync(join(root, 'real/a'));
  expect(await fill([file('/link')])).toEqual({ entries: [] });
  const after = fs.statSync(join(root, 'real/a'));
  expect([read('real/a'), after.mode, after.uid, after.gid]).toEqual([
    'new',
    before.mode,
    before.uid,
    before.gid,
  ]);
  expect(after.ino).not.toBe(before.ino);
  expect(fs.readdirSync(join(root, 'real'))).toEqual(['a']);
});

it('if a file cannot be written as a whole, the old file stays, and no other file is left', async () => {
  fs.writeFileSync(join(root, 'a'), 'old');
  const big = { text: 'x'.repeat(100_000) };
  expect(await fill([file('/a', big), file('/b', big), file('/c')], 8)).toEqual({
    entries: ['/a: file too large', '/b: file too large'],
  });
  expect([read('a'), read('c'), fs.readdirSync(root)]).toEqual(['old', 'new', ['a', 'c']]);
});

it('what a guest has left in the place of a file keeps only that file from being written', async () => {
  fs.mkdirSync(join(root, 'folder'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  fs.mkdirSync(join(root, '.porthole-template/x'), { recursive: true });
  expect(await fill([file('/folder'), file('/fifo'), file('/folder/a'), file('/b')])).toEqual({
    entries: ['/folder: is a directory', '/fifo: not a regular file'],
  });
  expect([read('folder/a'), read('b')]).toEqual(['new', 'new']);
  expect(fs.readdirSync(root).sort()).toEqual(['.porthole-template', 'b', 'fifo', 'folder']);
});

it('a file that must be written fails the request', async () => {
  fs.mkdirSync(join(root, 'folder'));
  expect(await fill([file('/folder', { mayFail: false })])).toEqual({
    error: 'EISDIR',
    message: '/folder: is a directory',
  });
});
