import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limits } from './guest-limits.ts';
import { ask, type GuestFixture, sampleView, startGuest } from './testing/harness.ts';

const withKeys = (...keys: [string, string][]) => {
  const { config, listed } = sampleView();
  return sampleView({
    allowsGuestConfig: true,
    config: new Map([...config, ...keys]),
    listed: [...listed, ...keys.map(([key]) => key)].sort(),
  });
};

async function start(limits: Partial<Limits> = {}): Promise<GuestFixture> {
  const guest = await startGuest(limits);
  guest.backend.views.set(1, withKeys(['guest.status', 'booting']));
  return guest;
}

/** @param value one character per byte */
const put = (guest: GuestFixture, key: string, value: string) =>
  ask(guest.path, `PUT /1.0/config/${key}`, `Content-Length: ${value.length}\r\n`, value);
const get = async (guest: GuestFixture, key: string) => (await ask(guest.path, `GET /1.0/config/${key}`))[1];
const remove = (guest: GuestFixture, key: string) => ask(guest.path, `DELETE /1.0/config/${key}`);
const EMPTY =
  'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nDate: D\r\nContent-Length: 0\r\n\r\n';
const values = (guest: GuestFixture) => [...guest.backend.views.get(1)!.config];

describe('an instance', () => {
  it('writes, reads, lists and removes one of its own keys', async () => {
    await using guest = await start();
    expect(await put(guest, 'guest.new', 'one\ntwo')).toEqual([EMPTY, '']);
    expect(await get(guest, 'guest.new')).toBe('one\ntwo');
    expect((await ask(guest.path, 'GET /1.0/config'))[1]).toContain('"/1.0/config/guest.new"');
    expect(await remove(guest, 'guest.new')).toEqual([EMPTY, '']);
    expect(await get(guest, 'guest.new')).toBe('Not Found\n');
    expect((await remove(guest, 'guest.new'))[1]).toBe('Not Found\n');
  });

  it('may repeat a write that changes nothing any number of times', async () => {
    await using guest = await start({ writeBurst: 1, writeIntervalMs: 600_000 });
    for (let turn = 0; turn < 3; turn++) expect((await put(guest, 'guest.status', 'booting'))[0]).toBe(EMPTY);
    expect((await put(guest, 'guest.status', 'up'))[0]).toBe(EMPTY);
    expect(await put(guest, 'guest.status', 'down')).toMatchObject({ 1: 'Too Many Requests\n' });
    expect(await remove(guest, 'guest.status')).toMatchObject({ 1: 'Too Many Requests\n' });
    expect(await get(guest, 'guest.status')).toBe('up');
  });

  it('may write less often if its writes weigh more', async () => {
    await using guest = await start({ writeBurst: 32, writeIntervalMs: 600_000 });
    guest.backend.writeWeight = () => 10;
    for (const value of ['a', 'b', 'c']) expect((await put(guest, 'guest.status', value))[0]).toBe(EMPTY);
    expect(await put(guest, 'guest.status', 'd')).toMatchObject({ 1: 'Too Many Requests\n' });
  });

  it.each(['GET', 'PUT', 'DELETE'])(
    'is forbidden %s while security.devlxd.guest_config is not true',
    async (method) => {
      await using guest = await start();
      guest.backend.views.set(1, { ...withKeys(['guest.status', 'x']), allowsGuestConfig: false });
      const [head, body] = await ask(guest.path, `${method} /1.0/config/guest.status`);
      expect([head.slice(0, 22), body]).toEqual(['HTTP/1.1 403 Forbidden', 'Forbidden\n']);
    },
  );

  it.each([
    'user.foo',
    'cloud-init.user-data',
    'security.devlxd',
    'volatile.uuid',
    'Guest.x',
    'guest',
    'user.guest.x',
    'image.os',
    '..%2fguest.x',
    '%67uest',
  ])('can neither write nor remove %s', async (key) => {
    await using guest = await start();
    const before = values(guest);
    expect((await put(guest, key, 'x'))[1]).toBe('Not Implemented\n');
    expect((await remove(guest, key))[1]).toBe('Not Implemented\n');
    expect(values(guest)).toEqual(before);
  });

  it.each([
    ['guest.', 'x'],
    ['guest.a%20b', 'x'],
    ['guest.a%2Fb', 'x'],
    ['guest.a%0a', 'x'],
    ['guest.%00', 'x'],
    ['guest.%ff', 'x'],
    [`guest.${'x'.repeat(123)}`, 'x'],
  ])('is refused the key %s', async (key, value) => {
    await using guest = await start();
    const text = 'Invalid key: letters, digits, ".", "_" and "-", 128 characters at most\n';
    expect((await put(guest, key, value))[1]).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['an escape sequence', '\x1b[2J'],
    ['a NUL', 'a\0b'],
    ['a carriage return', 'a\rb'],
    ['bytes that are not UTF-8', '\xff\xfe'],
  ])('is refused %s as a value', async (_what, value) => {
    await using guest = await start();
    const [head, text] = await put(guest, 'guest.a', value);
    expect(head).toContain('400 Bad Request');
    expect(text).toBe('Invalid value: UTF-8 text without control characters, not empty\n');
  });

  it('is refused a value that is too large, also one larger than what is kept, and one key too many', async () => {
    await using guest = await start();
    for (const size of [4097, 500_000]) {
      const [head, text] = await put(guest, 'guest.a', 'x'.repeat(size));
      expect([head.slice(9, 12), text]).toEqual(['413', 'Value is too large: 4096 bytes at most\n']);
    }
    expect((await put(guest, 'guest.a', 'x'.repeat(4096)))[0]).toBe(EMPTY);
    guest.backend.views.set(
      1,
      withKeys(...range(64).map((each): [string, string] => [`guest.k${each}`, 'v'])),
    );
    expect((await put(guest, 'guest.one-more', 'x'))[1]).toBe('Too many keys: 64 at most\n');
    expect((await put(guest, 'guest.k1', 'x'))[0]).toBe(EMPTY);
    expect((await remove(guest, 'guest.k2'))[0]).toBe(EMPTY);
    expect((await put(guest, 'guest.one-more', 'x'))[0]).toBe(EMPTY);
  });

  it('does not learn why a key could not be stored', async () => {
    await using guest = await start();
    guest.backend.storeBroken = true;
    expect((await put(guest, 'guest.a', 'x'))[1]).toBe('Failed setting configuration key: internal error\n');
  });

  it('cannot change any other key, with any name', async () => {
    await using guest = await start({ writeBurst: 1_000_000 });
    const others = () => values(guest).filter(([key]) => !key.startsWith('guest.'));
    const before = others();
    const part = fc.constantFrom(
      'guest.',
      'user.',
      'guest',
      '.',
      '/',
      '%2F',
      '%00',
      '..',
      'a',
      '%67',
      'volatile.',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
        for (const method of ['PUT', 'DELETE']) {
          await ask(guest.path, `${method} /1.0/config/${parts.join('')}`, 'Content-Length: 1\r\n', 'x');
        }
        expect(others()).toEqual(before);
      }),
    );
  });
});

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
