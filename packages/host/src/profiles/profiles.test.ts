import { beforeEach, describe, expect, it } from 'vitest';
import type { Config, Devices } from '../core/entities.ts';
import { disk } from '../instances/testing/devices.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { telling } from '../instances/testing/test-store.ts';

const NAMES = ['c1', 'c2', 'c3', 'c4'] as const;
const WEB = { profiles: ['default', 'web'] };

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web', { config: { 'user.role': 'web' }, devices: { srv: disk('/srv') } });
});

/** Adds four users of a profile; the last one is stopped. */
async function addUsers(): Promise<void> {
  for (const name of NAMES.slice(0, 3)) await heart.addRunning(name, WEB);
  heart.add('c4', WEB);
  heart.told.length = 0;
}
const edit = async (config: Config, devices: Devices = { srv: disk('/srv') }) =>
  heart.host.profiles.update('web', { description: 'edited', config, devices }, BY);
const inside = () =>
  NAMES.slice(0, 3).map((name) =>
    [...heart.run(name).devices.values()]
      .map(({ path }) => path)
      .sort()
      .join(' '),
  );

describe('A profile', () => {
  it('can be created, listed by name, renamed and deleted, with events', async () => {
    const { profiles } = heart.host;
    await profiles.create({ name: 'db', description: 'x', config: {}, devices: {} }, BY);
    expect(profiles.list().map(({ profile }) => profile.name)).toEqual(['db', 'default', 'web']);
    await profiles.rename('db', 'data', BY);
    expect(profiles.get('data').profile.description).toBe('x');
    await profiles.delete('data', BY);
    expect(() => profiles.get('data')).toThrow('Profile not found');
    expect(heart.told).toEqual(['profile-created db', 'profile-renamed data', 'profile-deleted data']);
  });

  it('keeps no keys without a value', async () => {
    const { profiles } = heart.host;
    await profiles.create(
      { name: 'db', description: '', config: { 'user.a': '', 'user.b': '1' }, devices: {} },
      BY,
    );
    expect(profiles.get('db').profile.config).toEqual({ 'user.b': '1' });
  });

  it('has no two disks at one path, as no instance could use it', async () => {
    const devices = { a: disk('/srv'), b: disk('/srv/') };
    await expect(edit({}, devices)).rejects.toThrow('More than one disk device uses the same path');
  });

  it('lists its users', async () => {
    await addUsers();
    expect(heart.host.profiles.get('web').usedBy).toEqual(NAMES);
  });

  it('keeps its users when it is renamed', async () => {
    await addUsers();
    await heart.host.profiles.rename('web', 'www', BY);
    expect(heart.get('c1').profiles).toEqual(['default', 'www']);
    expect(heart.model.expanded(heart.get('c1')).config['user.role']).toBe('web');
    expect((await heart.crash()).get('c1').profiles).toEqual(['default', 'www']);
  });
});

describe('An edit of a profile', () => {
  beforeEach(addUsers);

  it('changes all users in one commit, and running ones inside', async () => {
    const heard = [...NAMES].map((name) => heart.listen(name));
    await edit({ 'user.role': 'www' }, { srv: disk('/www') });
    expect(inside()).toEqual(['/ /www', '/ /www', '/ /www']);
    for (const events of heard)
      expect(events.map(({ type, key, name, action }) => `${type} ${key ?? `${action} ${name}`}`)).toEqual([
        ...['config user.role', 'device removed srv', 'device added srv'],
      ]);
    expect(heart.told).toEqual(['profile-updated web']);
    expect(heart.model.view(4)?.config.get('user.role')).toBe('www');
  });

  it.each([
    ['attach', '3'],
    ['detach', '3'],
    ['attach', '1'],
  ])('changes no user if %s fails in instance %s', async (verb, id) => {
    const instances = [...heart.model.state.instances.values()];
    const meant = { subject: `${id}/srv`, once: true };
    heart.machine.faults.refuse(verb, new Error('no luck'), meant);
    await expect(edit({}, { srv: disk('/www') })).rejects.toThrow('no luck');
    expect(inside()).toEqual(['/ /srv', '/ /srv', '/ /srv']);
    expect([...heart.model.state.instances.values()]).toEqual(instances);
    expect(heart.host.profiles.get('web').profile.description).toBe('');
    expect(heart.store.additions().size).toBe(0);
    expect(heart.told).toEqual([]);
  });

  it('that cannot be stored is undone in all of them', async () => {
    heart.store.refuse(telling('profile-updated'));
    await expect(edit({}, { srv: disk('/www') })).rejects.toThrow('full');
    expect(inside()).toEqual(['/ /srv', '/ /srv', '/ /srv']);
    expect(heart.model.view(1)?.config.get('user.role')).toBe('web');
  });

  it('that is invalid for one user is refused for all', async () => {
    await heart.host.instances.patch('c2', { devices: { own: disk('/www') } }, BY);
    await expect(edit({}, { srv: disk('/www') })).rejects.toThrow('Invalid expanded devices');
    expect(inside()).toEqual(['/ /srv', '/ /srv /www', '/ /srv']);
  });

  it('that is cut off by the end of the daemon is undone in all users', async () => {
    heart.store.dieAt('before', telling('profile-updated'));
    void edit({}, { www: disk('/www') });
    await heart.life.ended;
    const next = await heart.crash();
    await next.settle();
    expect(inside()).toEqual(['/ /srv', '/ /srv', '/ /srv']);
    expect(next.store.additions().size).toBe(0);
  });

  it('can switch off the guest API of all users that do not set it themselves', async () => {
    for (const id of [1, 2, 3]) heart.connections.open.set(id, 1);
    await heart.host.instances.patch('c2', { config: { 'security.devlxd': 'true' } }, BY);
    await edit({ 'security.devlxd': 'false' });
    expect(NAMES.slice(0, 3).map((name) => heart.run(name).guestApiMounts)).toEqual([0, 1, 0]);
    expect([...heart.connections.open.keys()]).toEqual([2]);
  });

  it('waits for other work on each user, and meanwhile holds up no other user', async () => {
    const held = heart.machine.faults.hold('setFrozen', { subject: '2' });
    const frozen = heart.setState('c2', 'freeze');
    await held.reached;
    const edited = edit({ 'user.role': 'www' });
    await heart.host.instances.patch('c1', { description: 'meanwhile' }, BY);
    expect(heart.model.view(1)?.config.get('user.role')).toBe('web');
    held.open();
    await Promise.all([frozen, edited]);
    expect(heart.told).toEqual(['instance-updated c1', 'instance-paused c2', 'profile-updated web']);
  });

  it('is waited for by later work, once it has begun', async () => {
    const held = heart.machine.faults.hold('attach');
    const edited = edit({}, { tmp: { type: 'disk', source: '/tmp', path: '/mnt' } });
    await held.reached;
    const patched = heart.host.instances.patch('c1', { description: 'after' }, BY);
    await heart.quiet();
    expect(heart.get('c1').description).toBe('');
    held.open();
    await Promise.all([edited, patched]);
    expect(heart.told).toEqual(['profile-updated web', 'instance-updated c1']);
  });

  it('does not deadlock with another one for the same users', async () => {
    heart.addProfile('more');
    for (const name of NAMES)
      await heart.host.instances.patch(name, { profiles: ['default', 'more', 'web'] }, BY);
    const more = heart.host.profiles.update('more', { description: 'm', config: {}, devices: {} }, BY);
    await Promise.all([edit({ 'user.role': 'x' }), more, edit({ 'user.role': 'y' })]);
    expect(heart.model.view(1)?.config.get('user.role')).toBe('y');
  });

  it('reaches an instance that began to use the profile while it waited, with its event', async () => {
    const held = heart.machine.faults.hold('setFrozen', { subject: '1' });
    const frozen = heart.setState('c1', 'freeze');
    await held.reached;
    const edited = edit({ 'user.role': 'www' });
    const { id } = heart.add('late', WEB);
    held.open();
    await Promise.all([frozen, edited]);
    expect(heart.model.view(id)?.config.get('user.role')).toBe('www');
    const types = new Set(['config']);
    const page = heart.parts.journal.eventsAfter({ instanceId: id, after: 0, types, events: 9, bytes: 1e6 });
    expect(page.events.map(({ metadata }) => metadata['value'])).toEqual(['www']);
  });

  it('is refused if such an instance would need another device or limit', async () => {
    const held = heart.machine.faults.hold('setFrozen', { subject: '1' });
    const frozen = heart.setState('c1', 'freeze');
    await held.reached;
    const refused = expect(edit({ 'limits.processes': '9' })).rejects.toThrow(
      'was given to another instance',
    );
    heart.add('late', WEB);
    held.open();
    await frozen;
    await refused;
    expect(heart.model.state.profiles.get('web')?.config).not.toHaveProperty('limits.processes');
  });

  it('works if the profile lost a user while it waited', async () => {
    const held = heart.machine.faults.hold('setFrozen', { subject: '1' });
    const frozen = heart.setState('c1', 'freeze');
    await held.reached;
    const edited = edit({ 'user.role': 'www' });
    heart.model.commit([{ kind: 'delete-instance', id: 4 }]);
    held.open();
    await Promise.all([frozen, edited]);
    expect(heart.model.view(3)?.config.get('user.role')).toBe('www');
  });

  it('is refused if the profile is not as the client has seen it', async () => {
    const check = () => {
      throw new Error('ETag');
    };
    const fields = { description: '', config: {}, devices: {} };
    await expect(heart.host.profiles.update('web', fields, BY, check)).rejects.toThrow('ETag');
    expect(heart.told).toEqual([]);
  });
});

describe('A profile is refused', () => {
  const profile = (name: string, config: Config = {}) => ({ name, description: '', config, devices: {} });
  it.each([
    ['without a name', profile(''), 'No name provided'],
    ['with a slash in its name', profile('a/b'), 'may not contain slashes'],
    ['that is there', profile('web'), 'The profile already exists'],
    ['with a key that there is not', profile('x', { 'no.such': '1' }), ''],
    ['with such a key, also without a value', profile('x', { 'no.such': '' }), 'key: no.such'],
    ['with a key that is the server’s', profile('x', { 'volatile.uuid': '1' }), ''],
  ])('%s', async (_what, input, message) => {
    await expect(heart.host.profiles.create(input, BY)).rejects.toThrow(message);
    expect(heart.told).toEqual([]);
  });

  it('for deletion while it is used; the default profile is always refused', async () => {
    heart.add('c1', WEB);
    const { profiles } = heart.host;
    await expect(profiles.delete('web', BY)).rejects.toThrow('Profile is currently in use');
    await expect(profiles.delete('default', BY)).rejects.toThrow('cannot be deleted');
    expect(() => profiles.rename('default', 'x', BY)).toThrow('cannot be renamed');
    expect(() => profiles.rename('web', 'default', BY)).toThrow('already in use');
    expect(() => profiles.rename('web', '', BY)).toThrow('No name provided');
  });
});
