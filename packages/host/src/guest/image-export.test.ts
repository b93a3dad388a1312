import { rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../base/testing/until.ts';
import {
  ask,
  exchange,
  type GuestFixture,
  RawClient,
  sampleImage,
  sampleView,
  startGuest,
} from './testing/harness.ts';

const UNIFIED = 'a'.repeat(64);
const SPLIT = 'b'.repeat(64);
const MODIFIED = 'Fri, 02 Jan 2026 03:04:05 GMT';
const NOT_FOUND =
  '{"type":"error","status":"","status_code":0,"operation":"","error_code":404,"error":"Not Found","metadata":null}\n\n';
const DATA = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(i % 251)).join('');

async function startWithImages(limits = {}): Promise<GuestFixture> {
  const guest = await startGuest(limits);
  const file = async (name: string, bytes: string) => {
    const path = join(guest.dir, name);
    await writeFile(path, bytes, 'latin1');
    await utimes(path, new Date(MODIFIED), new Date(MODIFIED));
    return path;
  };
  guest.backend.images.set(UNIFIED, {
    image: sampleImage(UNIFIED, { kind: 'unified', extension: '.tar.gz' }),
    paths: [await file('unified', DATA)],
  });
  guest.backend.images.set(SPLIT, {
    image: sampleImage(SPLIT, { kind: 'split', metadataExtension: '.tar.xz', rootfsExtension: '.squashfs' }),
    paths: [await file('meta', 'META'), await file('rootfs', DATA)],
  });
  return guest;
}

const exportLine = (fingerprint: string, method = 'GET') => `${method} /1.0/images/${fingerprint}/export`;

describe('a unified image', () => {
  const HEAD = `HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nContent-Disposition: inline;filename=${UNIFIED}.tar.gz\r\nContent-Length: 1000\r\nContent-Type: application/octet-stream\r\nLast-Modified: ${MODIFIED}\r\nDate: D\r\n\r\n`;

  it('is sent whole and reported to the host, and the connection stays open', async () => {
    await using guest = await startWithImages();
    expect(await ask(guest.path, exportLine(UNIFIED))).toEqual([HEAD, DATA]);
    expect(guest.backend.retrieved).toEqual([UNIFIED]);
    const twice = await exchange(
      guest.path,
      `${exportLine(UNIFIED)} HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\nHost: x\n\n`,
    );
    expect(twice.endsWith('\r\n\r\n["/1.0"]\n')).toBe(true);
  });

  it('is reported to the host only as often as writes are allowed', async () => {
    await using guest = await startWithImages({ writeBurst: 2, writeIntervalMs: 600_000 });
    for (let turn = 0; turn < 5; turn++) {
      expect((await ask(guest.path, exportLine(UNIFIED), 'Range: bytes=0-0\r\n'))[1]).toBe(DATA[0]);
    }
    expect(guest.backend.retrieved).toEqual([UNIFIED, UNIFIED]);
  });

  it('answers HEAD with the same headers', async () => {
    await using guest = await startWithImages();
    expect(await ask(guest.path, exportLine(UNIFIED, 'HEAD'))).toEqual([HEAD, '']);
    expect(guest.backend.retrieved).toEqual([]);
  });

  it('is sent in part', async () => {
    await using guest = await startWithImages();
    const [head, body] = await ask(guest.path, exportLine(UNIFIED), 'Range: bytes=10-19\r\n');
    expect(head).toContain('HTTP/1.1 206 Partial Content\r\n');
    expect(head).toContain(
      'Content-Length: 10\r\nContent-Range: bytes 10-19/1000\r\nContent-Type: application/octet-stream\r\n',
    );
    expect(body).toBe(DATA.slice(10, 20));
  });

  it('is sent in several parts', async () => {
    await using guest = await startWithImages();
    const [head, body] = await ask(guest.path, exportLine(UNIFIED), 'Range: bytes=0-1,-2\r\n');
    const boundary = /Content-Type: multipart\/byteranges; boundary=([0-9a-f]{60})\r\n/.exec(head)![1];
    expect(head).toContain(`Content-Length: ${body.length}\r\n`);
    expect(body).toBe(
      `--${boundary}\r\nContent-Range: bytes 0-1/1000\r\nContent-Type: application/octet-stream\r\n\r\n${DATA.slice(0, 2)}\r\n` +
        `--${boundary}\r\nContent-Range: bytes 998-999/1000\r\nContent-Type: application/octet-stream\r\n\r\n${DATA.slice(998)}\r\n--${boundary}--\r\n`,
    );
  });

  it('answers 416 to a range beyond its end', async () => {
    await using guest = await startWithImages();
    const [head, body] = await ask(guest.path, exportLine(UNIFIED), 'Range: bytes=1000-\r\n');
    expect(head).toMatch(
      /^HTTP\/1\.1 416 Requested Range Not Satisfiable\r\n[\s\S]*Content-Range: bytes \*\/1000\r\n/,
    );
    expect(body).toBe('invalid range: failed to overlap\n');
  });

  it.each([
    ['If-Modified-Since', MODIFIED, 304],
    ['If-Modified-Since', 'Thu, 01 Jan 2026 00:00:00 GMT', 200],
    ['If-Modified-Since', 'yesterday', 200],
    ['Range: bytes=0-0\r\nIf-Range', MODIFIED, 206],
    ['Range: bytes=0-0\r\nIf-Range', 'Thu, 01 Jan 2026 00:00:00 GMT', 200],
  ])('answers %s: %s with %d', async (name, value, status) => {
    await using guest = await startWithImages();
    const [head, body] = await ask(guest.path, exportLine(UNIFIED), `${name}: ${value}\r\n`);
    expect(head.slice(9, 12)).toBe(String(status));
    expect(body.length).toBe({ 200: 1000, 206: 1, 304: 0 }[status]);
    if (status === 304) expect(head).not.toContain('Content-Length');
  });

  it('is sent to a slow reader in full, chunk after chunk', async () => {
    await using guest = await startWithImages();
    const [path] = guest.backend.images.get(UNIFIED)!.paths;
    const big = Buffer.alloc(3_000_000, 'abcdefg');
    await writeFile(path!, big);
    const client = new RawClient(guest.path);
    client.socket.on('data', () => {
      client.socket.pause();
      setImmediate(() => client.socket.resume());
    });
    const received = await client.send(`${exportLine(UNIFIED)} HTTP/1.0\r\n\r\n`).end();
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(big.toString());
  });

  it('is cut when its file becomes shorter meanwhile, and is not reported as fetched', async () => {
    await using guest = await startWithImages();
    const [path] = guest.backend.images.get(UNIFIED)!.paths;
    await writeFile(path!, Buffer.alloc(8_000_000));
    const client = new RawClient(guest.path);
    client.socket.pause();
    client.send(`${exportLine(UNIFIED)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => guest.server.connections() !== 0);
    client.socket.resume();
    await client.until((received) => received.includes('\r\n\r\n'));
    client.socket.pause();
    await truncate(path!, 10);
    client.socket.resume();
    expect((await client.end()).length).toBeLessThan(8_000_000);
    expect(guest.backend.retrieved).toEqual([]);
  });
});

describe('a split image', () => {
  it('is a form of two parts', async () => {
    await using guest = await startWithImages();
    const [head, body] = await ask(guest.path, exportLine(SPLIT), 'Range: bytes=0-1\r\n');
    const boundary = /boundary=([0-9a-f]{60})\r\n/.exec(head)![1];
    expect(head).toBe(
      `HTTP/1.1 200 OK\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    expect(unchunk(body)).toBe(
      `--${boundary}\r\nContent-Disposition: form-data; name="metadata"; filename="meta-${SPLIT}.tar.xz"\r\nContent-Type: application/octet-stream\r\n\r\nMETA\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="rootfs"; filename="${SPLIT}.squashfs"\r\nContent-Type: application/octet-stream\r\n\r\n${DATA}\r\n--${boundary}--\r\n`,
    );
    expect(guest.backend.retrieved).toEqual([SPLIT]);
  });

  it('ends with the connection on HTTP/1.0, and has no body for HEAD', async () => {
    await using guest = await startWithImages();
    const request = `${exportLine(SPLIT)} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`;
    const received = await new RawClient(guest.path).send(request).end();
    expect(received).toMatch(
      /^HTTP\/1\.0 200 OK\r\nContent-Type: [^\r]+\r\nDate: [^\r]+\r\n\r\n--[\s\S]*--\r\n$/,
    );
    expect((await ask(guest.path, exportLine(SPLIT, 'HEAD')))[1]).toBe('');
  });
});

describe('a refused image', () => {
  it('gets the same answer if it is unknown, private or without its file', async () => {
    await using guest = await startWithImages();
    const unknown = await ask(guest.path, exportLine('c'.repeat(64)));
    expect(unknown).toEqual([
      `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nDate: D\r\nContent-Length: ${NOT_FOUND.length}\r\n\r\n`,
      NOT_FOUND,
    ]);
    const entry = guest.backend.images.get(UNIFIED)!;
    guest.backend.images.set(UNIFIED, { ...entry, image: { ...entry.image, public: false } });
    expect(await ask(guest.path, exportLine(UNIFIED))).toEqual(unknown);
    await rm(guest.backend.images.get(SPLIT)!.paths[1]!);
    expect(await ask(guest.path, exportLine(SPLIT))).toEqual(unknown);
    expect(await ask(guest.path, exportLine('a'))).toEqual(unknown);
  });

  it('is looked for elsewhere no more often than writes are allowed', async () => {
    await using guest = await startWithImages({ writeBurst: 16, writeIntervalMs: 600_000 });
    await rm(join(guest.dir, 'unified'));
    const statuses: string[] = [];
    for (let turn = 0; turn < 3; turn++)
      statuses.push((await ask(guest.path, `GET /1.0/images/${UNIFIED}/export`))[0].slice(9, 12));
    expect(statuses).toEqual(['404', '404', '429']);
  });

  it('is served when it is private but cached', async () => {
    await using guest = await startWithImages();
    const entry = guest.backend.images.get(UNIFIED)!;
    guest.backend.images.set(UNIFIED, { ...entry, image: { ...entry.image, public: false, cached: true } });
    expect((await ask(guest.path, exportLine(UNIFIED)))[1]).toBe(DATA);
  });

  it('gets an answer in JSON when images are not allowed', async () => {
    await using guest = await startWithImages();
    guest.backend.views.set(1, sampleView({ allowsImages: false }));
    const [head, body] = await ask(guest.path, exportLine(UNIFIED));
    expect(head).toContain('403 Forbidden');
    expect(body).toBe(NOT_FOUND.replace('404', '403').replace('Not Found', 'Forbidden'));
  });

  it('gets 503 when the instance already fetches as many images as it may', async () => {
    await using guest = await startWithImages({ imageStreams: 1 });
    await writeFile(guest.backend.images.get(UNIFIED)!.paths[0]!, Buffer.alloc(8_000_000));
    const slow = new RawClient(guest.path).send(`${exportLine(UNIFIED)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await slow.until((received) => received.includes('\r\n\r\n'));
    slow.socket.pause();
    expect((await ask(guest.path, exportLine(SPLIT)))[0]).toContain('503 Service Unavailable');
    slow.socket.destroy();
    await until(() => guest.server.connections() === 0);
    await expect.poll(async () => (await ask(guest.path, exportLine(SPLIT)))[0]).toContain('200 OK');
  });
});

/** Decodes a chunked body. */
function unchunk(body: string): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    text += body.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return text;
}
