import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SharedChange } from '../core/shared.ts';
import { BY, type Heart } from '../instances/testing/heart.ts';
import { MemberHost, memberOf } from './testing/member-host.ts';
import { MemoryHistory } from './testing/memory-store.ts';

const EMPTY = { description: '', config: {}, devices: {} };
const DISK = { type: 'disk', source: '/srv', path: '/srv' };

let history: MemoryHistory;
let a: MemberHost;
let b: MemberHost;
const members: MemberHost[] = [];

beforeEach(async () => {
  history = new MemoryHistory();
  a = await joined('a', (heart) => {
    heart.addProfile('web', { config: { 'user.role': 'web' } });
    heart.add('a1', { profiles: ['default', 'web'] });
  });
  b = await joined('b', (heart) => void heart.add('b1'));
});

afterEach(() => {
  for (const member of members.splice(0)) member.stop();
});

async function joined(name: string, prepare?: (heart: Heart) => unknown): Promise<MemberHost> {
  const member = await MemberHost.join(history, name, prepare);
  members.push(member);
  await quiet();
  return member;
}

async function crash(member: MemberHost): Promise<MemberHost> {
  const next = await member.crash();
  members.push(next);
  await quiet();
  return next;
}

/** Resolves when all members have heard everything. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate);
}

/** Resolves when a member has heard everything, and its running instances are in line with it. */
async function adjusted(member: MemberHost): Promise<void> {
  await quiet();
  await member.following.adjusted;
}

const update = (member: MemberHost, name: string, config: Record<string, string>, devices = {}) =>
  member.heart.host.profiles.update(name, { ...EMPTY, config, devices }, BY);

async function setKey(member: MemberHost, name: string, config: Record<string, string>): Promise<void> {
  await member.heart.host.instances.patch(name, { config }, BY);
}

/** Gives b1 the profile `web`. */
const useWeb = () => b.heart.host.instances.patch('b1', { config: {}, profiles: ['default', 'web'] }, BY);

const roleOf = (member: MemberHost, name: string) =>
  member.heart.model.expanded(member.heart.get(name)).config['user.role'];

describe('A host that joins', () => {
  it('keeps its instances, and gets the profiles of the fleet', () => {
    expect(a.heart.get('a1').profiles).toEqual(['default', 'web']);
    expect(b.heart.get('b1').name).toBe('b1');
    expect(b.heart.host.profiles.get('web').profile.config).toEqual({ 'user.role': 'web' });
  });

  it('shows its instances to the others', () => {
    expect(a.fleet.memberOf('b1')).toBe('b');
    expect([...a.fleet.others()].map(({ name }) => name)).toEqual(['b1']);
    expect(b.fleet.memberOf('a1')).toBe('a');
    expect(b.fleet.memberOf('nosuch')).toBeNull();
    expect(a.fleet.members().map(({ name, online }) => [name, online])).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  it.each<[string, (heart: Heart) => unknown, string]>([
    ['an instance name of the fleet', (heart) => heart.add('a1'), 'instances with names of the fleet: a1'],
    [
      'another profile of a name, that it uses',
      (heart) => {
        heart.addProfile('web', { config: { 'user.role': 'other' } });
        heart.add('c1', { profiles: ['web'] });
      },
      'profiles that differ from those of the fleet: web',
    ],
  ])('with %s is refused, and changes nothing', async (_what, prepare, why) => {
    const before = history.revision;
    await expect(MemberHost.join(history, 'c', prepare)).rejects.toThrow(why);
    expect(history.revision).toBe(before);
  });

  it('with the name of a member is refused', async () => {
    const other = { ...memberOf('a'), fingerprint: 'f'.repeat(64) };
    await expect(MemberHost.join(history, 'a', () => {}, other)).rejects.toThrow('has another member "a"');
  });

  it('takes the profile of the fleet for one that it does not use', async () => {
    const c = await joined('c', (heart) => heart.addProfile('web', { config: { 'user.role': 'other' } }));
    expect(c.heart.host.profiles.get('web').profile.config).toEqual({ 'user.role': 'web' });
  });
});

describe('A change of a profile', () => {
  it('reaches instances of other members, with one event', async () => {
    await useWeb();
    const heard = b.heart.listen('b1');
    await update(a, 'web', { 'user.role': 'db' });
    await quiet();
    expect(roleOf(b, 'b1')).toBe('db');
    expect(heard).toEqual([{ type: 'config', key: 'user.role', old_value: 'web', value: 'db' }]);
  });

  it('is told once to operators, where it was made', async () => {
    a.heart.told.length = 0;
    b.heart.told.length = 0;
    await update(a, 'web', { 'user.role': 'db' });
    expect(a.heart.told).toEqual(['profile-updated web']);
    expect(b.heart.told).toEqual([]);
  });

  it('adds a device to a running instance of another member', async () => {
    await useWeb();
    await b.heart.setState('b1', 'start');
    await update(a, 'web', {}, { data: DISK });
    await adjusted(b);
    expect([...b.heart.run('b1').devices.keys()]).toContain('data');
    await update(a, 'web', {});
    await adjusted(b);
    expect([...b.heart.run('b1').devices.keys()]).not.toContain('data');
  });

  it('does not wait for an instance whose own change waits for it', async () => {
    await useWeb();
    await b.heart.setState('b1', 'start');
    await Promise.all([
      update(a, 'web', {}, { data: DISK }),
      setKey(b, 'b1', { 'user.a': '1' }),
      b.heart.host.instances.patch('b1', { config: {}, devices: { more: { ...DISK, path: '/more' } } }, BY),
    ]);
    await adjusted(b);
    expect([...b.heart.run('b1').devices.keys()].sort()).toEqual(expect.arrayContaining(['data', 'more']));
    expect(b.heart.get('b1').config['user.a']).toBe('1');
  });

  it('made by two operators at once is not lost: one is told to try again', async () => {
    const results = await Promise.allSettled([
      update(a, 'web', { 'user.role': 'one' }),
      update(b, 'web', { 'user.role': 'two' }),
    ]);
    const won = results.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    await quiet();
    expect(a.heart.host.profiles.get('web').profile).toEqual(b.heart.host.profiles.get('web').profile);
  });

  it('cannot delete it while an instance of another member uses it', async () => {
    await expect(b.heart.host.profiles.delete('web', BY)).rejects.toThrow('currently in use');
    await expect(b.heart.host.profiles.rename('web', 'site', BY)).rejects.toThrow('other members use it: a');
  });

  it('and an instance that begins to use it elsewhere never pass each other', async () => {
    await a.heart.host.profiles.create({ ...EMPTY, name: 'db' }, BY);
    await quiet();
    const use = b.heart.host.instances.patch('b1', { config: {}, profiles: ['db'] }, BY);
    const results = await Promise.allSettled([a.heart.host.profiles.delete('db', BY), use]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await quiet();
    const isThere = b.heart.model.state.profiles.has('db');
    expect(b.heart.get('b1').profiles.includes('db')).toBe(isThere);
  });
});

describe('Changes at the same time', () => {
  const role = (member: MemberHost, value: string) => update(member, 'web', { 'user.role': value });
  const use = (profiles: string[]) =>
    b.heart.host.instances.patch('b1', { config: {}, profiles: ['default', ...profiles] }, BY);
  const RIVALS: [name: string, changes: () => Promise<unknown>[]][] = [
    ['an instance that begins to use a profile, and a change of it', () => [use(['web']), role(b, 'db')]],
    ['a change of a profile, and an instance that begins to use it', () => [role(b, 'db'), use(['web'])]],
    [
      'a change at another member, and an instance that begins to use it',
      () => [role(a, 'db'), use(['web'])],
    ],
  ];

  it.each(RIVALS)('%s: the instance hears each step', async (_, changes) => {
    const heard = b.heart.listen('b1');
    await Promise.all(changes());
    await quiet();
    const steps = heard.map((event) => `${event['old_value']}>${event['value']}`);
    expect(['>db', '>web web>db']).toContain(steps.join(' '));
    expect(roleOf(b, 'b1')).toBe('db');
  });

  it('an instance that stops to use a profile, and a change of it: the instance hears each step', async () => {
    await useWeb();
    const heard = b.heart.listen('b1');
    await Promise.all([role(a, 'db'), use([])]);
    await quiet();
    const steps = heard.map((event) => `${event['old_value']}>${event['value']}`);
    expect(['web>', 'web>db db>']).toContain(steps.join(' '));
  });
});

describe.each([1, 120])('Two profiles of %i instances that are changed at the same time', (count) => {
  it('reach each instance as if one had been changed after the other', async () => {
    await a.heart.host.profiles.create({ ...EMPTY, name: 'db', config: { 'user.role': '1' } }, BY);
    const c = await joined('c', (heart) => {
      for (const name of ['db', 'web'])
        heart.addProfile(name, { config: { 'user.role': name === 'db' ? '1' : 'web' } });
      for (let each = 0; each < count; each++) heart.add(`c${each}`, { profiles: ['default', 'db', 'web'] });
    });
    const heard = c.heart.listen('c0');
    await Promise.all([update(a, 'db', { 'user.role': '2' }), update(c, 'web', {})]);
    await quiet();
    const steps = heard.map((event) => `${event['old_value']}>${event['value']}`);
    expect(['web>2', 'web>1 1>2']).toContain(steps.join(' '));
    expect(roleOf(c, 'c0')).toBe('2');
  });
});

describe('Changes with many instances at the same time', () => {
  it('here and at another member: both are made, and neither waits for the other', async () => {
    for (const name of ['db', 'site']) await a.heart.host.profiles.create({ ...EMPTY, name }, BY);
    const many = Array.from({ length: 101 }, (_, at) => `c${at}`);
    const c = await joined('c', (heart) => {
      for (const name of ['db', 'site']) heart.addProfile(name, {});
      for (const name of many) heart.add(name, { profiles: ['default', 'db', 'site'] });
    });
    const commit = c.store.commit.bind(c.store);
    c.store.commit = (asked) => {
      c.store.commit = commit;
      history.write([{ kind: 'put-profile', profile: { ...EMPTY, name: 'db', config: { 'user.db': '1' } } }]);
      return commit(asked);
    };
    await update(c, 'site', { 'user.site': '1' });
    await quiet();
    const config = many.map((name) => c.heart.model.expanded(c.heart.get(name)).config);
    expect(config.filter((each) => each['user.site'] === '1' && each['user.db'] === '1')).toHaveLength(101);
  });
});

describe('Names', () => {
  it('of other members are taken', () => {
    expect(() => b.heart.host.instances.rename('b1', 'a1', BY)).toThrow('already in use');
  });

  it('are free again after a rename', async () => {
    await b.heart.done(b.heart.host.instances.rename('b1', 'b2', BY));
    await quiet();
    expect(a.fleet.memberOf('b1')).toBeNull();
    expect(a.fleet.memberOf('b2')).toBe('b');
  });

  it('are free again after a delete', async () => {
    await b.heart.done(b.heart.host.instances.delete('b1', BY));
    await quiet();
    expect(a.fleet.memberOf('b1')).toBeNull();
  });
});

describe('A member that dies', () => {
  it('goes on where it was, and tells instances of changes that it has missed', async () => {
    await useWeb();
    const position = b.heart.store.journalSpan(b.heart.get('b1').id).newest;
    b.stop();
    await update(a, 'web', { 'user.role': 'db' });
    await update(a, 'web', { 'user.role': 'cache' });
    b = await crash(b);
    expect(roleOf(b, 'b1')).toBe('cache');
    const { id } = b.heart.get('b1');
    const types = new Set(['config']);
    const { events } = b.heart.store.eventsAfter({
      ...{ instanceId: id, after: position, types, events: 10, bytes: 10_000 },
    });
    expect(events.map(({ metadata }) => metadata['value'])).toEqual(['db', 'cache']);
  });

  it('between a commit and its own store has the change, and its event once', async () => {
    await useWeb();
    b.heart.life.end();
    b.stop();
    const shared = history.objects.get('instances/b1');
    if (shared?.kind !== 'put-instance') throw new Error('there is no such record');
    const config = { ...shared.instance.config, 'user.a': '1' };
    history.write([{ kind: 'put-instance', instance: { ...shared.instance, config } }]);
    b = await crash(b);
    expect(b.heart.get('b1').config['user.a']).toBe('1');
    const next = await crash(b);
    const { id } = next.heart.get('b1');
    const query = { instanceId: id, after: 0, types: new Set(['config']), events: 10, bytes: 10_000 };
    const told = next.heart.store
      .eventsAfter(query)
      .events.filter(({ metadata }) => metadata['key'] === 'user.a');
    expect(told).toHaveLength(1);
  });
});

describe('A change of an instance of another member', () => {
  const written = () => a.heart.store.fleet();

  beforeEach(async () => {
    await setKey(a, 'a1', { 'user.first': '1' });
  });

  it('is known at once, and written with the next change that reaches this host', async () => {
    const before = written()?.fleet.revision;
    await setKey(b, 'b1', { 'user.there': '1' });
    await quiet();
    expect(a.fleet.others()).toMatchObject([{ name: 'b1', config: { 'user.there': '1' } }]);
    expect(written()?.fleet.revision).toBe(before);
    await setKey(a, 'a1', { 'user.here': '1' });
    expect(written()?.fleet.revision).toBe(history.revision);
    expect(written()?.mirror.get('instances/b1')).toContain('user.there');
  });

  it('is written after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await setKey(b, 'b1', { 'user.there': '1' });
      await quiet();
      vi.advanceTimersByTime(1_000);
    } finally {
      vi.useRealTimers();
    }
    expect(written()?.fleet.revision).toBe(history.revision);
    expect(written()?.mirror.get('instances/b1')).toContain('user.there');
  });

  it('is followed again by a daemon that comes after one that could not write it', async () => {
    const before = written()?.fleet.revision;
    await setKey(b, 'b1', { 'user.there': '1' });
    await quiet();
    vi.spyOn(a.heart.model, 'follow').mockImplementation(() => {
      throw new Error('the disk is full');
    });
    a.stop();
    expect(written()?.fleet.revision).toBe(before);
    a = await crash(a);
    expect(a.fleet.others()).toMatchObject([{ name: 'b1', config: { 'user.there': '1' } }]);
  });
});

it('The record of a member is written at once: the next daemon decides by it whether it may start', async () => {
  const newer: SharedChange = { kind: 'put-member', member: { ...memberOf('b'), api: 2 } };
  history.write([newer]);
  await quiet();
  expect(a.heart.store.fleet()?.mirror.get('members/b')).toContain('"api":2');
});

describe('A member that is cut off', () => {
  beforeEach(async () => {
    await useWeb();
    b.store.isCutOff = true;
  });

  it('refuses changes of operators and of instances', async () => {
    await expect(setKey(b, 'b1', { 'user.a': '1' })).rejects.toThrow('cut off');
    await expect(b.heart.host.profiles.create({ ...EMPTY, name: 'x' }, BY)).rejects.toThrow('cut off');
    expect(b.heart.get('b1').config['user.a']).toBeUndefined();
  });

  it('tells its instances so when they write keys, and lets them report that they are ready', async () => {
    b.store.isCutOff = false;
    await setKey(b, 'b1', { 'security.devlxd.guest_config': 'true' });
    await b.heart.setState('b1', 'start');
    b.store.isCutOff = true;
    const { id } = b.heart.get('b1');
    const { guest } = b.heart;
    const written = [guest.writeKey(id, 'guest.a', '1'), guest.setReady(id, true)];
    expect(await Promise.all(written)).toEqual(['cut-off', 'stored']);
    expect(b.heart.get('b1').config['guest.a']).toBeUndefined();
  });

  it('starts and stops its instances', async () => {
    await b.heart.setState('b1', 'start');
    expect(b.heart.status('b1')).toBe('Running');
    await b.heart.setState('b1', 'stop', { force: true });
    expect(b.heart.power('b1')).toBe('STOPPED');
  });

  it('catches up, in order and without doubling', async () => {
    const heard = b.heart.listen('b1');
    // Nobody waits for it: it has lost its lease.
    history.write([{ kind: 'delete-alive', member: 'b' }]);
    await quiet();
    for (const role of ['1', '2', '3']) await update(a, 'web', { 'user.role': role });
    expect(heard).toEqual([]);
    b.store.isCutOff = false;
    b.store.wake();
    await quiet();
    expect(heard.map((event) => event['value'])).toEqual(['1', '2', '3']);
  });
});

describe('A member that is removed', () => {
  it('finds out', async () => {
    history.write([
      { kind: 'delete-instance', name: 'b1' },
      { kind: 'delete-member', name: 'b' },
    ]);
    await quiet();
    expect(b.removed).toBe(1);
    b.heart.model.follow(b.fleet.alone('removed'), []);
    expect(b.heart.store.fleet()).toBeNull();
    expect(b.heart.store.fleetNotice()).toBe('removed');
    expect(b.heart.get('b1').name).toBe('b1');
  });
});
