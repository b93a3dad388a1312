import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BY } from '../instances/testing/heart.ts';
import type { MemberHost } from './testing/member-host.ts';
import { MemberHosts, quiet } from './testing/member-hosts.ts';
import { MemoryHistory } from './testing/memory-store.ts';

const EMPTY = { description: '', config: {}, devices: {} };

let hosts: MemberHosts;
let a: MemberHost;
let b: MemberHost;

beforeEach(async () => {
  hosts = new MemberHosts();
  a = await hosts.join('a', (heart) => {
    heart.addProfile('web', { config: { 'user.role': 'web' } });
    heart.add('a1', { profiles: ['default', 'web'] });
  });
  b = await hosts.join('b', (heart) => void heart.add('b1'));
});
afterEach(() => hosts.stop());

const setKey = (member: MemberHost, name: string, config: Record<string, string>) =>
  member.heart.host.instances.patch(name, { config }, BY);
const createProfile = (name: string) => a.heart.host.profiles.create({ ...EMPTY, name }, BY);
/** Gives a member an image. @returns its fingerprint */
async function imageAt(member: MemberHost): Promise<string> {
  const fingerprint = 'f'.repeat(64);
  await member.addImage(fingerprint);
  await quiet();
  return fingerprint;
}

const recordOf = (name: string) => {
  const put = hosts.history.objects.get(`instances/${name}`);
  return put?.kind === 'put-instance' ? put.instance : undefined;
};
const span = (member: MemberHost, name: string) => member.heart.store.journalSpan(member.heart.get(name).id);

describe('After a restore of the store to an older state', () => {
  it('positions of instances from before it are too old', async () => {
    const copy = hosts.history.copy();
    await setKey(b, 'b1', { 'user.a': '1' });
    const { newest } = span(b, 'b1');
    hosts.history.restore(copy);
    await quiet();
    expect(span(b, 'b1').oldest).toBeGreaterThanOrEqual(newest);
    expect(span(b, 'b1').newest).toBeGreaterThan(newest);
  });

  it('an instance that the fleet does not know is put back, with the profile that it uses', async () => {
    const copy = hosts.history.copy();
    await createProfile('db');
    await quiet();
    await b.heart.host.instances.patch('b1', { config: { 'user.a': '1' }, profiles: ['default', 'db'] }, BY);
    await b.heart.done(b.heart.host.instances.rename('b1', 'b2', BY));
    hosts.history.restore(copy);
    await quiet();
    expect(b.heart.get('b2')).toMatchObject({ profiles: ['default', 'db'], config: { 'user.a': '1' } });
    expect(recordOf('b2')).toMatchObject({ member: 'b', profiles: ['default', 'db'] });
    expect(recordOf('b1')).toBeUndefined();
    expect(a.fleet.memberOf('b2')).toBe('b');
    expect(a.fleet.memberOf('b1')).toBeNull();
    expect(a.heart.model.state.profiles.has('db')).toBe(true);
  });

  it('what instances have been told stays: their own config is the newest one', async () => {
    const copy = hosts.history.copy();
    await setKey(b, 'b1', { 'user.a': 'new' });
    hosts.history.restore(copy);
    await quiet();
    expect(b.heart.get('b1').config['user.a']).toBe('new');
    expect(recordOf('b1')?.config['user.a']).toBe('new');
  });

  it('a profile is as the store has it, and positions of instances are too old', async () => {
    const copy = hosts.history.copy();
    await a.heart.host.profiles.update('web', { ...EMPTY, config: { 'user.role': 'db' } }, BY);
    const heard = a.heart.listen('a1');
    const { id } = a.heart.get('a1');
    const { newest } = a.heart.store.journalSpan(id);
    hosts.history.restore(copy);
    await quiet();
    expect(a.heart.model.expanded(a.heart.get('a1')).config['user.role']).toBe('web');
    // Its steps are not known, so there are no events of it.
    expect(heard).toEqual([]);
    expect(a.heart.store.journalSpan(id).oldest).toBeGreaterThan(newest);
  });

  it('the files of an image stay where they are, and the fleet gets its record and its alias again', async () => {
    const copy = hosts.history.copy();
    const fingerprint = await imageAt(b);
    hosts.history.restore(copy);
    await quiet();
    expect(b.heart.images.stored.has(fingerprint)).toBe(true);
    expect(a.heart.model.state.images.has(fingerprint)).toBe(true);
    expect(a.fleet.holdersOf(fingerprint)).toEqual(new Set(['b']));
  });

  it('what is changed while records are put back is put back as it is then', async () => {
    const copy = hosts.history.copy();
    const names = Array.from({ length: 25 }, (_, at) => `p${String(at).padStart(2, '0')}`);
    for (const name of names) await createProfile(name);
    await quiet();
    await a.heart.host.instances.patch('a1', { config: {}, profiles: ['default', ...names] }, BY);
    const { history } = hosts;
    const add = history.add.bind(history);
    // With the first records that are put back, another member makes one of the others.
    history.add = (by, commit) => {
      if (commit.changes.some((change) => change.kind === 'put-profile' && change.profile.name === 'p24')) {
        history.add = add;
        history.write([{ kind: 'put-profile', profile: { ...EMPTY, name: 'p00', description: 'newer' } }]);
      }
      add(by, commit);
    };
    history.restore(copy);
    await quiet();
    await quiet();
    expect(recordOf('a1')?.profiles).toEqual(['default', ...names]);
    expect(history.objects.get('profiles/p00')).toMatchObject({ profile: { description: 'newer' } });
    expect(a.heart.model.state.profiles.get('p00')?.description).toBe('newer');
  });

  it('a deleted instance stays deleted', async () => {
    const copy = hosts.history.copy();
    await b.heart.done(b.heart.host.instances.delete('b1', BY));
    hosts.history.restore(copy);
    await quiet();
    expect(recordOf('b1')).toBeUndefined();
    expect(a.fleet.memberOf('b1')).toBeNull();
  });

  it('a name that another member has got by the restore is shown, and can be changed', async () => {
    const copy = hosts.history.copy();
    await b.heart.done(b.heart.host.instances.rename('b1', 'b2', BY));
    await a.heart.done(a.heart.host.instances.rename('a1', 'b1', BY));
    b.store.isCutOff = true;
    hosts.history.restore(copy);
    await quiet();
    expect(a.following.conflicts).toEqual(['b1']);
    await expect(setKey(a, 'b1', { 'user.a': '1' })).rejects.toThrow('Member "b" has an instance "b1", too');
    await a.heart.done(a.heart.host.instances.rename('b1', 'a2', BY));
    await quiet();
    expect(a.following.conflicts).toEqual([]);
    expect([recordOf('b1')?.member, recordOf('a2')?.member, recordOf('a1')]).toEqual(['b', 'a', undefined]);
  });

  it('a name that its first member has given up goes back to the one that has it now', async () => {
    const copy = hosts.history.copy();
    await b.heart.done(b.heart.host.instances.rename('b1', 'b2', BY));
    await quiet();
    await a.heart.done(a.heart.host.instances.rename('a1', 'b1', BY));
    await quiet();
    hosts.history.restore(copy);
    await quiet();
    await quiet();
    const members = ['a1', 'b1', 'b2'].map((name) => recordOf(name)?.member);
    expect(members).toEqual([undefined, 'a', 'b']);
    expect([a.following.conflicts, b.fleet.memberOf('b1')]).toEqual([[], 'a']);
  });

  it('a member that the store does not know is a single host with all that it has', async () => {
    const copy = hosts.history.copy();
    const c = await hosts.join('c', (heart) => {
      heart.addProfile('web', { config: { 'user.role': 'web' } });
      heart.add('c1', { profiles: ['web'] });
    });
    hosts.history.restore(copy);
    await quiet();
    expect(c.removed).toBe(1);
    expect(c.heart.get('c1').profiles).toEqual(['web']);
    expect(c.heart.model.state.profiles.has('web')).toBe(true);
    expect(b.removed).toBe(0);
  });

  it('an empty store takes nothing from anybody', async () => {
    const fingerprint = await imageAt(b);
    hosts.history.restore(new MemoryHistory());
    await quiet();
    expect([a.removed, b.removed]).toEqual([1, 1]);
    expect(a.heart.get('a1').profiles).toEqual(['default', 'web']);
    expect(a.heart.model.state.profiles.has('web')).toBe(true);
    expect(b.heart.images.stored.has(fingerprint)).toBe(true);
  });
});

describe('A daemon that died between the commit and its application here', () => {
  it('of a new instance has not made it, and its name is free', async () => {
    const { lastStartedAt: _, ...b1 } = b.heart.get('b1');
    b.heart.life.end();
    b.stop();
    hosts.history.write([{ kind: 'put-instance', instance: { ...b1, id: 77, name: 'b7', member: 'b' } }]);
    b = await hosts.crash(b);
    expect(recordOf('b7')).toBeUndefined();
    expect(a.fleet.memberOf('b7')).toBeNull();
  });

  it('of a deletion still has it, and so has the fleet', async () => {
    b.heart.life.end();
    b.stop();
    hosts.history.write([{ kind: 'delete-instance', name: 'b1' }]);
    b = await hosts.crash(b);
    expect(b.heart.get('b1').name).toBe('b1');
    expect(recordOf('b1')?.member).toBe('b');
  });
});
