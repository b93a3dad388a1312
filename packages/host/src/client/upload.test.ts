import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { HostClient } from './host-client.ts';
import type { FakeHost } from './testing/fake-host.ts';
import { finishedOperation, startFakeHost } from './testing/fake-host.ts';
import { uploadImage } from './upload.ts';

let host: FakeHost;
let client: HostClient;
beforeEach(async () => {
  host = await startFakeHost({
    'POST /1.0/images': () => ({ operation: finishedOperation({ metadata: { fingerprint: 'f00' } }) }),
  });
  client = new HostClient(host.socketPath);
});
afterEach(() => host.stop());

async function file(name: string, content: string | Buffer): Promise<string> {
  const target = join(host.dir, name);
  await writeFile(target, content);
  return target;
}

const PLAIN = { public: false, properties: {} };

it('one file arrives unchanged, with its name, size and properties', async () => {
  const source = await file('bb.tar.gz', 'content');
  const properties = { os: 'a b', 'x&y': '=' };
  expect(await uploadImage(client, { kind: 'unified', file: source }, { public: true, properties })).toBe(
    'f00',
  );
  const [request] = host.received;
  expect(request?.body.toString()).toBe('content');
  expect(request?.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': '7',
    'x-lxd-filename': 'bb.tar.gz',
    'x-lxd-public': 'true',
    'x-lxd-properties': 'os=a+b&x%26y=%3D',
  });
});

it('an image that is not public does not say so', async () => {
  await uploadImage(client, { kind: 'unified', file: await file('a', 'x') }, PLAIN);
  expect(host.received[0]?.headers).not.toHaveProperty('x-lxd-public');
  expect(host.received[0]?.headers).not.toHaveProperty('x-lxd-properties');
});

it('two files arrive as a form, metadata first, of the announced length', async () => {
  const metadata = await file('meta.tar', 'M'.repeat(10));
  const rootfs = await file('root"fs.tar', 'R'.repeat(20));
  await uploadImage(client, { kind: 'split', metadata, rootfs }, PLAIN);
  const [request] = host.received;
  const form = await new Response(new Uint8Array(request!.body), {
    headers: { 'content-type': String(request!.headers['content-type']) },
  }).formData();
  expect([...form.keys()]).toEqual(['metadata', 'rootfs']);
  const part = form.get('rootfs') as File;
  expect([part.name, await part.text()]).toEqual(['root_fs.tar', 'R'.repeat(20)]);
  expect(Number(request?.headers['content-length'])).toBe(request?.body.length);
});

it('bytes are counted up to the sum of the files', async () => {
  const told: [number, number][] = [];
  const source = await file('big', Buffer.alloc(3 * 1024 * 1024));
  const onBytes = (sent: number, total: number) => told.push([sent, total]);
  await uploadImage(client, { kind: 'unified', file: source }, { ...PLAIN, onBytes });
  expect(told.length).toBeGreaterThan(1);
  expect(told.at(-1)).toEqual([3 * 1024 * 1024, 3 * 1024 * 1024]);
});

it('characters of a file name that a header cannot have are replaced', async () => {
  await uploadImage(client, { kind: 'unified', file: await file('ü\n.tar', 'x') }, PLAIN);
  expect(host.received[0]?.headers['x-lxd-filename']).toBe('__.tar');
});

it('a missing file and a directory are refused before anything is sent', async () => {
  await expect(uploadImage(client, { kind: 'unified', file: '/nowhere' }, PLAIN)).rejects.toThrow('ENOENT');
  await expect(uploadImage(client, { kind: 'unified', file: host.dir }, PLAIN)).rejects.toThrow(
    'is not a file',
  );
  expect(host.received).toEqual([]);
});

it('a refusal that comes before the last byte is the answer', async () => {
  const server = createServer((request, response) => {
    request.once('data', () => {
      response.writeHead(413, { connection: 'close' });
      response.end(JSON.stringify({ type: 'error', error_code: 413, error: 'Image is too large' }));
    });
  });
  const socket = join(host.dir, 'full.socket');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const source = await file('big', Buffer.alloc(32 * 1024 * 1024));
  const upload = uploadImage(new HostClient(socket), { kind: 'unified', file: source }, PLAIN);
  await expect(upload).rejects.toMatchObject({ status: 413, message: 'Image is too large' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
