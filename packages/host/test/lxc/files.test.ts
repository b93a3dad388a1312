import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as it } from 'vitest';
import { LxcClient } from '../harness/lxc.ts';

let lxc: LxcClient;

beforeAll(async () => {
  lxc = await LxcClient.start();
  await lxc.must('launch', 'busybox', 'c1');
  await lxc.must('init', 'busybox', 'c2');
});

afterAll(() => lxc?.destroy());

const inside = (script: string) => lxc.must('exec', 'c1', '--', 'sh', '-c', script);
const at = (name: string) => join(lxc.folder, name);

it('push keeps the mode, and sets the given owner on a new file', async () => {
  writeFileSync(at('tool'), '#!/bin/sh\necho "it runs"\n');
  chmodSync(at('tool'), 0o755);
  await lxc.must('file', 'push', '--quiet', at('tool'), 'c1/bin/');
  expect(await lxc.must('exec', 'c1', '--', 'tool')).toBe('it runs\n');
  await lxc.must('file', 'push', at('tool'), 'c1/tmp/t', '--uid', '7', '--gid', '8', '--mode', '0640');
  expect(await inside('stat -c "%u %g %a" /tmp/t')).toBe('7 8 640\n');
  await lxc.must('file', 'push', at('tool'), 'c1/tmp/t', '--uid', '9');
  expect(await inside('stat -c "%u %g %a" /tmp/t')).toBe('7 8 640\n');
});

it('push reads from a pipe, and pull writes to one', async () => {
  expect((await lxc.feed('from a pipe', 'file', 'push', '-', 'c1/tmp/pipe')).ok).toBe(true);
  expect(await lxc.must('file', 'pull', '--quiet', 'c1/tmp/pipe', '-')).toBe('from a pipe');
  expect(await inside('stat -c %a /tmp/pipe')).toBe('600\n');
});

it('whole trees are pushed and pulled unchanged', async () => {
  mkdirSync(at('tree/a/b'), { recursive: true });
  writeFileSync(at('tree/a/b/f'), 'deep');
  symlinkSync('b/f', at('tree/a/l'));
  await lxc.must('file', 'push', '--recursive', '--create-dirs', at('tree'), 'c1/new/place');
  expect(await inside('cd /new/place/tree/a; cat l; readlink l')).toBe('deepb/f\n');
  mkdirSync(at('back'));
  await lxc.must('file', 'pull', '--recursive', 'c1/new/place/tree', at('back'));
  expect(readFileSync(at('back/tree/a/b/f'), 'utf8')).toBe('deep');
  expect(lstatSync(at('back/tree/a/l')).isSymbolicLink()).toBe(true);
  expect(readlinkSync(at('back/tree/a/l'))).toBe('b/f');
});

it('pull gives the contents of a file, also of one in /proc', async () => {
  await inside('echo text > /tmp/f; ln -sfn f /tmp/l');
  await lxc.must('file', 'pull', 'c1/tmp/f', at('pulled'));
  expect(readFileSync(at('pulled'), 'utf8')).toBe('text\n');
  expect(await lxc.must('file', 'pull', 'c1/proc/1/comm', '-')).toMatch(/^\w+\n/);
});

it('edit replaces the contents of a file, and keeps its mode', async () => {
  await inside('echo old > /tmp/e; chmod 600 /tmp/e');
  expect((await lxc.feed('new\n', 'file', 'edit', 'c1/tmp/e')).ok).toBe(true);
  expect(await inside('cat /tmp/e; stat -c %a /tmp/e')).toBe('new\n600\n');
});

it('delete removes files and empty directories', async () => {
  await inside('mkdir /tmp/d; touch /tmp/d/f');
  expect(await lxc.refusal('file', 'delete', 'c1/tmp/d')).toBe('directory not empty');
  await lxc.must('file', 'delete', 'c1/tmp/d/f', 'c1/tmp/d');
  expect(await inside('ls -d /tmp/d || echo gone')).toBe('gone\n');
});

it('files of a stopped instance can be pushed and pulled', async () => {
  writeFileSync(at('one'), 'put there before the first start');
  await lxc.must('file', 'push', at('one'), 'c2/root/one');
  expect(await lxc.must('file', 'pull', '--quiet', 'c2/root/one', '-')).toMatch('before the first');
  await lxc.must('start', 'c2');
  expect(await lxc.must('exec', 'c2', '--', 'cat', '/root/one')).toMatch('before the first');
});

it.each([
  [['pull', 'c1/none', '-'], 'Not Found'],
  [['pull', 'none/etc/passwd', '-'], 'Instance not found'],
  [['pull', 'c1/etc', 'x'], "Can't pull a directory without --recursive"],
  [['push', '/etc/passwd', 'c1/none/x'], 'Not Found'],
  [['push', '/etc/passwd', 'c1/etc'], 'is a directory'],
  [['push', '/etc/passwd', 'c1/dev/null'], 'not a regular file'],
  [['push', '/etc/passwd', 'c1/tmp/x', '--uid', '99999'], 'the instance has no uid 99999'],
  [['delete', 'c1/none'], 'Not Found'],
])('refuses file %j', async (args, text) => {
  const before = readdirSync(lxc.folder);
  expect(await lxc.refusal('file', '--quiet', ...args)).toBe(text);
  expect(readdirSync(lxc.folder)).toEqual(before);
  expect(existsSync(at('x'))).toBe(false);
});

it('a name that is not UTF-8 is pushed unchanged, and does not stop the pull of a tree', async () => {
  const at = (top: string, ...parts: readonly string[]) => Buffer.from([top, ...parts].join('/'), 'latin1');
  const tree = join(lxc.folder, 'odd');
  mkdirSync(at(tree, 'caf\xe9'), { recursive: true });
  writeFileSync(at(tree, 'caf\xe9', '\xe2\x82'), 'odd');
  writeFileSync(at(tree, 'z'), 'the rest');
  await lxc.must('file', 'push', '--recursive', tree, 'c1/srv');
  expect(await inside("cd /srv/odd && find | sort | od -An -c | tr -d ' \\n'")).toBe(
    String.raw`.\n./caf351\n./caf351/342202\n./z\n`,
  );
  mkdirSync(join(lxc.folder, 'again'));
  await lxc.must('file', 'pull', '--recursive', 'c1/srv/odd', join(lxc.folder, 'again'));
  // The client handles names as text: it writes U+FFFD for each invalid byte.
  const pulled = join(lxc.folder, 'again/odd');
  expect(readFileSync(join(pulled, 'caf\ufffd/\ufffd\ufffd'), 'utf8')).toBe('odd');
  expect(readFileSync(join(pulled, 'z'), 'utf8')).toBe('the rest');
});
