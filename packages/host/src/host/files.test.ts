import { afterAll, beforeAll, beforeEach, expect, test as it, vi } from 'vitest';
import { Harness } from './testing/harness.ts';

let host: Harness;

beforeAll(async () => {
  host = await Harness.start();
  host.backend.add('c1');
});
afterAll(() => host.stop());
beforeEach(() => host.backend.filesOf('c1').clear());

const FILES = '/1.0/instances/c1/files';

it('takes every path from the root, so that events tell it as LXD does', async () => {
  const remove = vi.spyOn(host.backend.files, 'delete');
  for (const path of ['etc/x', '/etc/x']) await host.send('DELETE', `${FILES}?path=${path}`);
  expect(remove.mock.calls).toEqual([
    ['c1', '/etc/x'],
    ['c1', '/etc/x'],
  ]);
});

it('gives a file unchanged, with its facts in headers', async () => {
  const headers = { 'X-LXD-type': 'file', 'X-LXD-uid': '7', 'X-LXD-gid': '8', 'X-LXD-mode': '04755' };
  const written = await host.send('POST', `${FILES}?path=%2Fa%20b`, Buffer.from([0, 255]), headers);
  expect(written).toMatchObject({ status: 200, json: { metadata: {} } });
  const { status, body, headers: got } = await host.send('GET', `${FILES}?path=a%20b`);
  expect({ status, body }).toEqual({ status: 200, body: Buffer.from([0, 255]) });
  expect(got).toMatchObject({
    'content-length': '2',
    'x-lxd-type': 'file',
    'x-lxd-uid': '7',
    'x-lxd-gid': '8',
    'x-lxd-mode': '04755',
    'x-lxd-modified': '2024-01-02 03:04:05 +0000 UTC',
  });
});

it('answers HEAD with the same headers and nothing else', async () => {
  await host.send('POST', `${FILES}?path=/f`, 'abc');
  const { status, body, headers } = await host.send('HEAD', `${FILES}?path=/f`);
  expect({ status, size: body.length }).toEqual({ status: 200, size: 0 });
  expect(headers).toMatchObject({ 'x-lxd-type': 'file', 'x-lxd-mode': '0644' });
});

it('lists a directory in an envelope, gives the target of a link as text', async () => {
  await host.send('POST', `${FILES}?path=/d`, '', { 'X-LXD-type': 'directory' });
  await host.send('POST', `${FILES}?path=/l`, '../x', { 'X-LXD-type': 'symlink' });
  const folder = await host.send('GET', `${FILES}?path=/d`);
  expect(folder.json.metadata).toEqual(['a', 'b']);
  expect(folder.headers).toMatchObject({ 'x-lxd-type': 'directory', 'content-type': 'application/json' });
  const link = await host.send('GET', `${FILES}?path=/l`);
  expect({ text: link.body.toString(), type: link.headers['x-lxd-type'] }).toEqual({
    text: '../x',
    type: 'symlink',
  });
});

it('appends to a file when asked to', async () => {
  await host.send('POST', `${FILES}?path=/f`, 'one');
  await host.send('POST', `${FILES}?path=/f`, 'two', { 'X-LXD-write': 'append' });
  expect((await host.send('GET', `${FILES}?path=/f`)).body.toString()).toBe('onetwo');
});

it('deletes a file', async () => {
  await host.send('POST', `${FILES}?path=/f`, 'one');
  expect((await host.send('DELETE', `${FILES}?path=/f`)).json.metadata).toEqual({});
  expect((await host.send('GET', `${FILES}?path=/f`)).json).toMatchObject({
    error_code: 404,
    error: 'Not Found',
  });
});

it.each([
  ['no path', FILES, {}, 'Missing path argument'],
  ['an empty path', `${FILES}?path=`, {}, 'Missing path argument'],
  ['a NUL byte', `${FILES}?path=a%00b`, {}, 'path: must not contain a NUL byte'],
  ['an unknown type', `${FILES}?path=f`, { 'X-LXD-type': 'fifo' }, 'Invalid file type: fifo'],
  ['a uid that is none', `${FILES}?path=f`, { 'X-LXD-uid': '-1' }, 'Invalid file uid: -1'],
  ['a gid that is none', `${FILES}?path=f`, { 'X-LXD-gid': 'root' }, 'Invalid file gid: root'],
  ['a mode that is none', `${FILES}?path=f`, { 'X-LXD-mode': '0999' }, 'Invalid file mode: 0999'],
  ['an unknown way', `${FILES}?path=f`, { 'X-LXD-write': 'swap' }, 'Invalid file write mode: swap'],
])('refuses %s', async (_what, path, headers, error) => {
  const { status, json } = await host.send('POST', path, 'x', headers);
  expect({ status, error: json.error }).toEqual({ status: 400, error });
  expect(host.backend.filesOf('c1').size).toBe(0);
});
