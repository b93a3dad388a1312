import { describe, expect, it } from 'vitest';
import type { Caller } from '../core/caller.ts';
import { etagOf } from '../core/etags.ts';
import type { GuestView } from '../core/view.ts';
import { parseHead } from '../http/request-head.ts';
import { decide } from './decide.ts';
import { sampleView } from './testing/harness.ts';

const ROOT: Caller = { kind: 'instance', instanceId: 1, runNumber: 1 };
const USER: Caller = { kind: 'not-root', instanceId: 1, runNumber: 1 };
const STRANGER: Caller = { kind: 'no-instance' };
const FINGERPRINT = 'a'.repeat(64);

function reply(line: string, changes: Partial<GuestView> = {}, caller: Caller = ROOT, body = '') {
  const parsed = parseHead(Buffer.from(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'), 0);
  if (parsed.kind !== 'head') throw new Error(`not a request: ${line}`);
  return decide(caller, { head: parsed.head, body: Buffer.from(body) }, () => sampleView(changes));
}

describe('order of checks', () => {
  it('reports an unknown path before it looks at the caller', () => {
    for (const caller of [ROOT, USER, STRANGER]) {
      expect(reply('GET /1.0/nope', {}, caller)).toEqual({ kind: 'refuse', code: 'page-not-found' });
    }
  });

  it('refuses an unknown caller before it looks at the method', () => {
    expect(reply('FOO /1.0', {}, STRANGER)).toEqual({ kind: 'refuse', code: 'no-instance' });
  });

  it('refuses a user other than root before it looks at the method', () => {
    expect(reply('FOO /1.0', { devlxd: false }, USER)).toEqual({ kind: 'refuse', code: 'not-root' });
  });

  it('refuses a method before it looks at security.devlxd', () => {
    expect(reply('PUT /1.0', { devlxd: false })).toEqual({ kind: 'refuse', code: 'not-implemented' });
    expect(reply('FOO /1.0', { devlxd: false })).toMatchObject({ code: 'unknown-method', value: 'FOO' });
    expect(reply('get /1.0')).toMatchObject({ code: 'unknown-method', value: 'get' });
  });

  it('refuses everything while security.devlxd is off, images in JSON', () => {
    for (const path of ['/', '/1.0', '/1.0/config', '/1.0/config/user.foo', '/1.0/devices', '/1.0/events']) {
      expect(reply(`GET ${path}`, { devlxd: false })).toEqual({ kind: 'refuse', code: 'forbidden' });
    }
    expect(reply('PATCH /1.0', { devlxd: false })).toEqual({ kind: 'refuse', code: 'forbidden' });
    expect(reply(`GET /1.0/images/${FINGERPRINT}/export`, { devlxd: false })).toEqual({
      kind: 'refuse-image',
      code: 'forbidden',
    });
  });

  it('ends a connection whose run is over', () => {
    const parsed = parseHead(Buffer.from('GET / HTTP/1.1\nHost: x\n\n'), 0);
    if (parsed.kind !== 'head') throw new Error('not a request');
    for (const caller of [ROOT, USER]) {
      const over = decide(caller, { head: parsed.head, body: Buffer.alloc(0) }, () => undefined);
      expect(over).toEqual({ kind: 'refuse', code: 'no-instance', close: true });
    }
  });
});

describe('routes', () => {
  it.each([
    '/1.0/',
    '/1.0/config/',
    '/1.0/meta-data/',
    '/1.0/config/user.sl/ash',
    '/2.0',
    '/1.0/Config',
    '/1.0%2Fconfig',
    '/1.0/images',
    `/1.0/images/${FINGERPRINT}`,
    '/1.0/images//export',
    '/1.0/operations/x',
    '/1.0/ubuntu-pro/token',
  ])('do not include %s', (path) => {
    expect(reply(`GET ${path}`)).toEqual({ kind: 'refuse', code: 'page-not-found' });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('have no %s for /1.0/config', (method) => {
    expect(reply(`${method} /1.0/config`)).toEqual({ kind: 'refuse', code: 'not-implemented' });
  });

  it('answer HEAD like GET, except for events', () => {
    expect(reply('HEAD /1.0/config/user.foo')).toEqual({ kind: 'raw', value: 'bar', etag: etagOf('bar') });
    expect(reply('HEAD /1.0/events')).toEqual({ kind: 'refuse', code: 'not-implemented' });
  });
});

describe('GET /1.0/config/KEY', () => {
  it.each([
    ['user.foo', 'bar'],
    ['user%2Efoo', 'bar'],
    ['user.foo?a=b', 'bar'],
    ['user.%C3%BCni', 'grün\n'],
    ['user.\xc3\xbcni', 'grün\n'],
    ['user.sl%2Fash', 'slash'],
    ['user.pct%2541', 'percent'],
    ['cloud-init.ssh-keys.k', 'root:gh:u1'],
  ])('reads %s', (segment, value) => {
    expect(reply(`GET /1.0/config/${segment}`)).toEqual({ kind: 'raw', value, etag: etagOf(value) });
  });

  it.each(['user', 'userx', 'User.foo', 'volatile.uuid', 'image.os', '..%2f', '%00', '%ff'])(
    'forbids %s',
    (segment) => {
      expect(reply(`GET /1.0/config/${segment}`)).toEqual({ kind: 'refuse', code: 'forbidden' });
    },
  );

  it.each(['user.', 'user.x', 'user.fo+o', 'user.foo%00', 'user.foo%0a', 'user.foo%ff', 'cloud-init.x'])(
    'does not find %s',
    (segment) => {
      expect(reply(`GET /1.0/config/${segment}`)).toEqual({ kind: 'refuse', code: 'not-found' });
    },
  );

  it('reads every key that is listed', () => {
    const list = reply('GET /1.0/config');
    if (list.kind !== 'json') throw new Error('no list');
    for (const path of list.value as string[]) {
      const key = encodeURIComponent(path.slice('/1.0/config/'.length));
      expect(reply(`GET /1.0/config/${key}`).kind).toBe('raw');
    }
  });
});

const BOTH = new Set(['config', 'device']);

describe('GET /1.0/events', () => {
  it.each([
    ['', ['config', 'device']],
    ['?type=', ['config', 'device']],
    ['?type=config', ['config']],
    ['?type=bogus,device', ['device']],
    ['?type=config,%20device', ['config']],
    ['?type=lifecycle', []],
    ['?limit=5', ['config', 'device']],
    ['?type=config&type=device', ['config']],
  ])('takes from %j the types %j', (query, types) => {
    expect(reply(`GET /1.0/events${query}`)).toEqual({
      kind: 'stream-events',
      types: new Set(types),
      websocket: false,
    });
  });

  it.each([
    ['?since=7', { kind: 'stream-events', types: BOTH, websocket: false, since: 7 }],
    [
      '?since=now&type=device',
      { kind: 'stream-events', types: new Set(['device']), websocket: false, since: 'now' },
    ],
    ['?since=7&limit=5', { kind: 'list-events', types: BOTH, since: 7, limit: 5 }],
    ['?since=now&limit=999', { kind: 'list-events', types: BOTH, since: 'now', limit: 256 }],
    ['?since=', { kind: 'refuse', code: 'invalid-position' }],
    ['?since=7&limit=x', { kind: 'refuse', code: 'invalid-limit' }],
  ])('reads position and limit from %j', (query, decided) => {
    expect(reply(`GET /1.0/events${query}`)).toEqual(decided);
  });
});

describe('image export', () => {
  it('requires security.devlxd.images', () => {
    expect(reply(`GET /1.0/images/${FINGERPRINT}/export`, { allowsImages: false })).toEqual({
      kind: 'refuse-image',
      code: 'forbidden',
    });
  });

  it.each(
    ['4', 'a%25', 'a_', '%', FINGERPRINT.toUpperCase(), `${FINGERPRINT}a`, `${FINGERPRINT}%0a`, 'alias'].map(
      (t) => t.replace(/^%$/, '%25'),
    ),
  )('does not find %s, which is not a fingerprint', (text) => {
    expect(reply(`GET /1.0/images/${text}/export`)).toEqual({ kind: 'refuse-image', code: 'not-found' });
  });

  it('serves only the project default', () => {
    const path = `/1.0/images/${FINGERPRINT}/export`;
    const served = { kind: 'export-image', fingerprint: FINGERPRINT };
    expect(reply(`GET ${path}?project=default&secret=x`)).toEqual(served);
    expect(reply(`GET ${path}?project=other`)).toEqual({ kind: 'refuse-image', code: 'not-found' });
  });
});
