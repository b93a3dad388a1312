import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { GuestApiError, GuestClient } from '../../../guest/src/client.ts';
import { sampleImage, sampleView, startGuest } from './testing/harness.ts';

/** Keeps what is written to it. */
function memory(): { target: Writable; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const target = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { target, bytes: () => Buffer.concat(chunks) };
}

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

describe('the client library', () => {
  it('reads everything that the guest API offers', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    expect(await client.root()).toEqual(['/1.0']);
    expect(await client.server()).toMatchObject({ state: 'Started', location: 'myhost' });
    expect(await client.configKeys()).toEqual(sampleView().listed);
    expect(await client.config('user.sl/ash')).toBe('slash');
    expect(await client.config('user.nope')).toBeUndefined();
    expect(Object.fromEntries(await client.allConfig())).toMatchObject({
      'user.üni': 'grün\n',
      'user.pct%41': 'percent',
    });
    expect(await client.devices()).toEqual(sampleView().devices);
    expect(await client.metaData()).toBe(sampleView().metaData);
  });

  it('sets the state', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    await client.setState('Ready');
    expect(await client.server()).toMatchObject({ state: 'Ready' });
  });

  it('throws the error that the host sends, with its status', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    await expect(client.config('volatile.x')).rejects.toThrow(new GuestApiError(403, 'Forbidden'));
    const { target } = memory();
    await expect(client.exportImage('a'.repeat(64), target)).rejects.toMatchObject({
      status: 404,
      message: 'Not Found',
    });
  });

  it('throws when there is no host, or the host does not answer', async () => {
    await using guest = await startGuest();
    await expect(new GuestClient({ socketPath: `${guest.dir}/none` }).root()).rejects.toThrow('ENOENT');
    const path = join(guest.dir, 'mute');
    const mute = createServer(() => {}).listen(path);
    await expect(new GuestClient({ socketPath: path, timeoutMs: 30 }).root()).rejects.toThrow(
      `no answer from ${path}`,
    );
    mute.close();
  });

  it('follows events until its signal aborts', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of client.events({ types: ['config'], signal: stop.signal })) {
        seen.push(event.type === 'config' ? event.metadata.key : event.type);
        if (seen.length === 50) stop.abort();
      }
    })();
    while (guest.backend.subscribers === 0) await new Promise((resolve) => setImmediate(resolve));
    guest.backend.emit(1, 'device', { name: 'x' });
    for (let i = 0; i < 60; i++) guest.backend.setKey(1, `user.ü${i}`, 'v');
    await reading;
    expect(seen.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => `user.ü${i}`));
  });

  it('ends its events when the host ends them, or the loop is left', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    const events = client.events();
    const first = events.next();
    while (guest.backend.subscribers === 0) await new Promise((resolve) => setImmediate(resolve));
    guest.backend.setKey(1, 'user.a', '1');
    expect((await first).value).toMatchObject({ metadata: { key: 'user.a' } });
    await events.return();
    while (guest.backend.subscribers > 0) await new Promise((resolve) => setImmediate(resolve));
    const ended = client.events().next();
    while (guest.backend.subscribers === 0) await new Promise((resolve) => setImmediate(resolve));
    guest.server.closeInstance(1, 'stopped');
    expect(await ended.catch(() => ({ done: true }))).toMatchObject({ done: true });
  });

  it('continues after an event that it has seen, with a stream or by polling', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    const { next } = await client.eventsSince('now');
    for (let i = 0; i < 5; i++) guest.backend.setKey(1, `user.k${i}`, 'v');
    const page = await client.eventsSince(next, 2);
    expect(page.events.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect([page.next, page.more]).toEqual([2, true]);
    const seen: (number | undefined)[] = [];
    for await (const event of client.events({ types: ['config', 'device'], since: page.next })) {
      seen.push(event.sequence);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([3, 4, 5]);
    guest.backend.trim(4);
    await expect(client.eventsSince(3)).rejects.toMatchObject({ status: 410 });
    await expect(client.events({ since: 3 }).next()).rejects.toMatchObject({ status: 410 });
  });

  it('waits for another value, for longer than its timeout', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path, timeoutMs: 1000 });
    const known = await client.nextConfig('user.foo');
    expect(known?.value).toBe('bar');
    expect(await client.nextConfig('user.foo', known, 0)).toBe(known);
    expect(await client.nextConfig('user.foo', known, 1)).toBe(known);
    const waiting = client.nextConfig('user.foo', known);
    while (guest.backend.watched === 0) await new Promise((resolve) => setImmediate(resolve));
    guest.backend.swapView(1, sampleView({ config: new Map([['user.foo', 'other']]) }));
    const other = await waiting;
    expect(other?.value).toBe('other');
    const gone = client.nextConfig('user.foo', other);
    while (guest.backend.watched === 0) await new Promise((resolve) => setImmediate(resolve));
    guest.backend.swapView(1, sampleView({ config: new Map() }));
    expect(await gone).toBeUndefined();
    expect(await client.nextConfig('user.foo')).toBeUndefined();
  });

  it('writes and removes keys of the instance', async () => {
    await using guest = await startGuest();
    guest.backend.views.set(1, sampleView({ allowsGuestConfig: true }));
    const client = new GuestClient({ socketPath: guest.path });
    await client.setConfig('guest.status', 'grün');
    expect(await client.config('guest.status')).toBe('grün');
    await client.removeConfig('guest.status');
    expect(await client.config('guest.status')).toBeUndefined();
    await expect(client.setConfig('user.foo', 'x')).rejects.toMatchObject({ status: 501 });
    await expect(client.setConfig('guest.a', '')).rejects.toMatchObject({ status: 400 });
  });

  it('fetches images of one file and of two files, and checks them', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    const [meta, rootfs] = [Buffer.from('META\r\n--'), Buffer.alloc(1_500_000, 'r\r\n--x')];
    const [metaPath, rootfsPath] = [join(guest.dir, 'm'), join(guest.dir, 'r')];
    await writeFile(metaPath, meta);
    await writeFile(rootfsPath, rootfs);
    const split = sha256(meta, rootfs);
    const files = { kind: 'split', metadataExtension: '.tar', rootfsExtension: '' } as const;
    guest.backend.images.set(split, { image: sampleImage(split, files), paths: [metaPath, rootfsPath] });
    const unified = sha256(rootfs);
    const file = { kind: 'unified', extension: '.tar' } as const;
    guest.backend.images.set(unified, { image: sampleImage(unified, file), paths: [rootfsPath] });

    const two = memory();
    expect(await client.exportImage(split, two.target)).toEqual([meta.length, rootfs.length]);
    expect(two.bytes().equals(Buffer.concat([meta, rootfs]))).toBe(true);
    const one = memory();
    expect(await client.exportImage(unified, one.target)).toEqual([rootfs.length]);
    expect(one.bytes().equals(rootfs)).toBe(true);
    await writeFile(rootfsPath, 'something else');
    await expect(client.exportImage(unified, memory().target)).rejects.toThrow('fingerprint');
  });
});
