import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test as it } from 'vitest';
import { Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const BOUNDARY = 'xyz';
const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };
const part = (name: string, filename: string, content: string, type = 'application/octet-stream') =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename && `; filename="${filename}"`}\r\n` +
  `Content-Type: ${type}\r\n\r\n${content}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

describe('an upload', () => {
  it('of one file ends with the fingerprint', async () => {
    const headers = {
      'Content-Type': 'application/octet-stream',
      'X-LXD-filename': 'bb.tar.gz',
      'X-LXD-properties': 'os=bb',
      'X-LXD-public': 'true',
    };
    const reply = await harness.send('POST', '/1.0/images', Buffer.from('bytes'), headers);
    expect(reply.status).toBe(202);
    expect((await harness.finished(reply)).json.metadata.metadata).toMatchObject({
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      size: '5',
    });
    expect({
      options: harness.backend.uploads.options[0],
      parts: harness.backend.heart.images.uploads[0],
    }).toMatchObject({
      options: { public: true, properties: { os: 'bb' }, profiles: null, fingerprint: null },
      parts: [{ name: '', filename: 'bb.tar.gz', size: 5 }],
    });
  });

  it('of two files is read part by part', async () => {
    const rootfs = 'r'.repeat(3_000_000);
    const body = part('metadata', '../m.tar.xz', 'mm') + part('rootfs', 'r.squashfs', rootfs) + END;
    const reply = await harness.send('POST', '/1.0/images', body, MULTIPART);
    expect((await harness.finished(reply)).json.metadata).toMatchObject({ status: 'Success' });
    expect(harness.backend.heart.images.uploads[0]).toEqual([
      { name: 'metadata', filename: 'm.tar.xz', size: 2 },
      { name: 'rootfs', filename: 'r.squashfs', size: 3_000_000 },
    ]);
  });

  it.each([
    ['a field instead of a file', part('metadata', '', 'mm', 'text/plain') + END],
    ['too many parts', ['a', 'b', 'c', 'd', 'e'].map((name) => part(name, name, 'x')).join('') + END],
    ['a body that breaks off', part('metadata', 'm', 'mm') + part('rootfs', 'r', 'rr')],
  ])('with %s fails', async (_what, body) => {
    const reply = await harness.send('POST', '/1.0/images', body, MULTIPART);
    const { json } = await harness.finished(reply);
    expect(json.metadata?.status ?? json.type).toMatch(/^(Failure|error)$/);
    expect(harness.backend.images.list()).toEqual([]);
  });

  it.each([
    ['one file', { 'Content-Type': 'application/octet-stream' }, 'some bytes'],
    ['two files', MULTIPART, part('metadata', 'm', 'mm').concat(part('rootfs', 'r', 'rr').slice(0, -3))],
  ])('of %s that its client abandons fails and leaves nothing', async (_what, headers, start) => {
    const reading = Promise.withResolvers<void>();
    harness.backend.heart.images.appetite = async () => reading.resolve();
    const failed = new Promise<string>((resolve) => {
      harness.backend.subscribe((event) => {
        if (event.type === 'operation' && event.metadata.status === 'Failure') resolve(event.metadata.err);
      });
    });
    const outgoing = request({ socketPath: harness.path, method: 'POST', path: '/1.0/images', headers });
    outgoing.on('error', () => {});
    outgoing.write(start);
    await reading.promise;
    outgoing.destroy();
    expect(await failed).not.toBe('');
    expect(harness.backend.images.list()).toEqual([]);
  });

  it.each([
    ['one file', { 'Content-Type': 'application/octet-stream' }, ''],
    ['two files', MULTIPART, part('metadata', 'm', 'mm') + part('rootfs', 'r', '').slice(0, -2)],
  ])('of %s is not read faster than it is stored', async (_what, headers, start) => {
    const hungry = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    harness.backend.heart.images.appetite = () => hungry.promise;
    const outgoing = request({ socketPath: harness.path, method: 'POST', path: '/1.0/images', headers });
    const replied = new Promise((resolve) =>
      outgoing.once('response', (reply) => resolve(reply.resume().statusCode)),
    );
    outgoing.write(start);
    const size = 12 * 1024 * 1024;
    const body = start ? Buffer.concat([Buffer.alloc(size), Buffer.from(`\r\n${END}`)]) : Buffer.alloc(size);
    let sent = 0;
    const write = () => {
      while (sent < body.length) {
        const chunk = body.subarray(sent, sent + 65_536);
        sent += chunk.length;
        if (!outgoing.write(chunk)) {
          full.resolve();
          outgoing.once('drain', write);
          return;
        }
      }
      outgoing.end();
    };
    write();
    await full.promise;
    // Other requests are answered meanwhile; each gives the upload time to go on, if it could.
    for (let round = 0; round < 100; round++) await harness.get('/1.0');
    expect(sent).toBeLessThan(8 * 1024 * 1024);
    hungry.resolve();
    expect(await replied).toBe(202);
    expect(harness.backend.heart.images.uploadedBytes).toBeGreaterThanOrEqual(size);
  });

  it('from a JSON source is refused', async () => {
    const reply = await harness.send(
      'POST',
      '/1.0/images',
      { source: { type: 'url' } },
      {
        'Content-Type': 'application/json',
      },
    );
    expect(reply).toMatchObject({ status: 400, json: { error: expect.stringContaining('uploads only') } });
  });
});

describe('an image', () => {
  it('is found by a prefix and shown with all fields', async () => {
    const { fingerprint } = harness.backend.addImage(['bytes']);
    const reply = await harness.get(`/1.0/images/${fingerprint.slice(0, 6)}`);
    expect(reply.headers.etag).toBeDefined();
    expect(reply.json.metadata).toMatchObject({
      fingerprint,
      type: 'container',
      aliases: [],
      properties: { os: 'busybox' },
      last_used_at: '0001-01-01T00:00:00Z',
    });
    expect((await harness.get('/1.0/images/ffffff')).json.error).toBe('Image not found');
  });

  it('is filtered in lists', async () => {
    harness.backend.addImage(['a'], { public: true });
    harness.backend.addImage(['b']);
    expect((await harness.get('/1.0/images?filter=public+eq+true')).json.metadata).toHaveLength(1);
  });

  it('keeps what a PUT does not name, and loses empty properties', async () => {
    const { fingerprint } = harness.backend.addImage(['bytes']);
    const path = `/1.0/images/${fingerprint}`;
    const body = { public: true, properties: { a: 'b', os: '' } };
    expect((await harness.send('PUT', path, body)).json).toMatchObject({ type: 'sync', metadata: {} });
    expect(harness.backend.images.get(fingerprint).image).toMatchObject({
      public: true,
      properties: { a: 'b' },
      profiles: ['default'],
      expiresAt: '1970-01-01T00:00:00Z',
    });
    expect((await harness.send('PUT', path, body, { 'If-Match': '"x"' })).status).toBe(412);
    expect((await harness.send('PUT', path, { expires_at: 'soon' })).json.error).toMatch(/^expires_at: /);
  });

  it('is marked as cached only by PATCH', async () => {
    const { fingerprint } = harness.backend.addImage(['bytes']);
    const path = `/1.0/images/${fingerprint}`;
    await harness.send('PUT', path, { cached: true, properties: { os: 'bb' } });
    expect((await harness.get(path)).json.metadata.cached).toBe(false);
    await harness.send('PATCH', path, { cached: true, properties: { x: 'y' } });
    expect((await harness.get(path)).json.metadata).toMatchObject({
      cached: true,
      properties: { os: 'bb', x: 'y' },
    });
  });
});

describe('an export', () => {
  it('of one file is that file, with a name', async () => {
    const { fingerprint } = harness.backend.addImage(['bytes']);
    const reply = await harness.get(`/1.0/images/${fingerprint.slice(0, 12)}/export`);
    expect(reply.body.toString()).toBe('bytes');
    expect(reply.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '5',
      'content-disposition': `inline;filename=${fingerprint}.tar.gz`,
    });
  });

  it('of two files is multipart with the exact length', async () => {
    const { fingerprint } = harness.backend.addImage(['meta', 'root']);
    const reply = await harness.get(`/1.0/images/${fingerprint}/export`);
    expect(Number(reply.headers['content-length'])).toBe(reply.body.length);
    const form = await new Response(new Uint8Array(reply.body), {
      headers: { 'Content-Type': reply.headers['content-type'] ?? '' },
    }).formData();
    const files = [...form.entries()] as [string, File][];
    expect(
      await Promise.all(files.map(async ([name, file]) => [name, file.name, await file.text()])),
    ).toEqual([
      ['metadata', `meta-${fingerprint}.tar.xz`, 'meta'],
      ['rootfs', `${fingerprint}.squashfs`, 'root'],
    ]);
  });

  it('whose file is missing is an error, not a short download', async () => {
    const { fingerprint } = harness.backend.addImage(['meta', 'root']);
    harness.backend.images.export = () => ({
      image: harness.backend.images.get(fingerprint).image,
      paths: ['/nonexistent'],
    });
    expect((await harness.get(`/1.0/images/${fingerprint}/export`)).status).toBe(500);
  });
});
