import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { GuestApiError, GuestClient } from '../../../guest/src/client.ts';
import { sampleImage, sampleView, startGuest } from './guest.fixture.ts';

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
  it('reads all there is', async () => {
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

  it('throws what the host says, with its status', async () => {
    await using guest = await startGuest();
    const client = new GuestClient({ socketPath: guest.path });
    await expect(client.config('volatile.x')).rejects.toThrow(new GuestApiError(403, 'Forbidden'));
    const { target } = memory();
    await expect(client.exportImage('a'.repeat(64), target)).rejects.toMatchObject({
      status: 404,
      message: 'Not Found',
    });
  });

  it('says when there is no host, or none that answers', async () => {
    await using guest = await startGuest();
    await expect(new GuestClient({ socketPath: `${guest.dir}/none` }).root()).rejects.toThrow('ENOENT');
    const path = join(guest.dir, 'mute');
    const mute = createServer(() => {}).listen(path);
    await expect(new GuestClient({ socketPath: path, timeoutMs: 30 }).root()).rejects.toThrow(
      `no answer from ${path}`,
    );
    mute.close();
  });

  it('follows events until it is told to stop', async () => {
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

  it('fetches an image of one file and of two, and checks them', async () => {
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
