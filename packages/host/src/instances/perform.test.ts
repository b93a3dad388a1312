import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, Devices } from '../core/entities.ts';
import { disk, nic } from './testing/devices.ts';
import { BY, Heart } from './testing/heart.ts';
import { telling } from './testing/test-store.ts';

const OLD = { gone: disk('/gone'), eth0: nic(), lan: nic(), moved: disk('/old') };
/** Removes a disk and a nic, changes the limits of a nic, moves a disk, and adds a disk and a nic. */
const NEW = {
  eth0: nic({ 'limits.max': '10Mbit' }),
  moved: disk('/new'),
  extra: disk('/extra'),
  eth1: nic(),
};

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1', { devices: OLD, config: { 'security.devlxd': 'false' } });
  heart.told.length = 0;
});

const change = (devices: Devices, config = heart.get('c1').config) =>
  heart.done(heart.host.instances.update('c1', { ...heart.get('c1'), devices, config }, BY));
const open = () => ({ ...heart.get('c1').config, 'security.devlxd': 'true' });

/** The devices inside: paths of disks, limits of nics. */
function inside(): Record<string, string | undefined> {
  const show = (device: Device) =>
    device['type'] === 'disk' ? device['path'] : `nic ${device['limits.max'] ?? 'free'}`;
  return Object.fromEntries(
    [...heart.run('c1').devices].map(([name, device]) => [name, show(device)]).sort(),
  );
}
const BEFORE = { root: '/', gone: '/gone', eth0: 'nic free', lan: 'nic free', moved: '/old' };
const AFTER = { root: '/', eth0: 'nic 10Mbit', moved: '/new', extra: '/extra', eth1: 'nic free' };

describe('A change of a running instance', () => {
  it('removes, changes and adds devices', async () => {
    await change(NEW);
    expect(inside()).toEqual(AFTER);
    expect(heart.told).toEqual(['instance-updated c1']);
  });

  it('stores what it has made inside and on the host, so that it can be removed', async () => {
    await change(NEW);
    const { config } = heart.get('c1');
    expect(config['volatile.extra.created']).toBe('true');
    expect(config['volatile.eth1.host_name']).toBe(heart.run('c1').hostNames['eth1']);
    await change({ eth0: nic() });
    expect([...heart.run('c1').places].sort()).toEqual(['/', '/gone', '/old']);
    expect(heart.get('c1').config).not.toHaveProperty('volatile.extra.created');
  });

  it('stores devices as being added until they have been added', async () => {
    const held = heart.machine.faults.hold('attach', { subject: 'eth1' });
    const changed = change(NEW);
    await held.reached;
    const [additions] = [...heart.store.additions().values()];
    expect(additions?.map(({ name, created }) => [name, created])).toEqual([
      ['eth1', true],
      ['extra', true],
      ['moved', true],
    ]);
    expect(heart.get('c1').devices).toEqual(OLD);
    held.open();
    await changed;
    expect(heart.store.additions().size).toBe(0);
  });

  it('sends the instance an event for each step, in order', async () => {
    const heard = heart.listen('c1');
    await change(NEW);
    expect(heard.map(({ action, name }) => `${action} ${name}`)).toEqual([
      ...[
        'removed gone',
        'removed lan',
        'removed moved',
        'updated eth0',
        'added eth1',
        'added extra',
        'added moved',
      ],
    ]);
  });

  it('makes the guest API mount if the guest API is switched on', async () => {
    await change(OLD, open());
    expect(heart.run('c1').guestApiMounts).toBe(1);
  });

  it('makes events but changes nothing inside if the instance is stopped', async () => {
    await heart.setState('c1', 'stop');
    const heard = heart.listen('c1');
    heart.machine.faults.refuse('attach');
    await change(NEW);
    expect(heard).toHaveLength(7);
    await heart.setState('c1', 'start');
    expect(inside()).toEqual(AFTER);
  });
});

describe('A change that fails', () => {
  const steps: [string, string | undefined][] = [
    ['checkDevice', 'extra'],
    ['foresee', 'extra'],
    ['detach', 'gone'],
    ['detach', 'lan'],
    ['detach', 'moved'],
    ['updateDevice', 'eth0'],
    ['attach', 'eth1'],
    ['attach', 'extra'],
    ['attach', 'moved'],
    ['setGuestApiMount', undefined],
  ];

  it.each(steps)('at %s %s leaves the instance as it was, and makes no event', async (verb, subject) => {
    const run = heart.run('c1');
    const before = {
      config: heart.get('c1').config,
      hostNames: run.hostNames,
      places: [...run.places].sort(),
    };
    const heard = heart.listen('c1');
    heart.machine.faults.refuse(verb, new Error('no luck'), { ...(subject ? { subject } : {}), once: true });
    await expect(change(NEW, open())).rejects.toThrow('no luck');
    expect(inside()).toEqual(BEFORE);
    expect(heart.run('c1').guestApiMounts).toBe(0);
    expect(run.hostNames).toEqual(before.hostNames);
    expect([...run.places].sort()).toEqual(before.places);
    expect(heart.get('c1').config).toEqual(before.config);
    expect(heart.store.additions().size).toBe(0);
    expect([heard, heart.told]).toEqual([[], []]);
  });

  it('at its commit is undone', async () => {
    heart.store.refuse(telling('instance-updated'));
    await expect(change(NEW, open())).rejects.toThrow('full');
    expect(inside()).toEqual(BEFORE);
    expect(heart.run('c1').guestApiMounts).toBe(0);
    expect(heart.store.additions().size).toBe(0);
    expect(heart.guest.view(1, 1)?.devlxd).toBe(false);
  });

  it('at the removal of a device that is gone nevertheless brings it back', async () => {
    const late = { subject: 'lan', when: 'after', once: true } as const;
    heart.machine.faults.refuse('detach', new Error('no answer'), late);
    const names = heart.run('c1').hostNames;
    await expect(change(NEW)).rejects.toThrow('no answer');
    expect(inside()).toEqual(BEFORE);
    expect(heart.run('c1').hostNames).toEqual(names);
  });

  it('undoes as much as it can if a step cannot be undone, and leaves the rest to the next daemon', async () => {
    heart.machine.faults.refuse('attach', new Error('first'), { subject: 'moved' });
    heart.machine.faults.refuse('detach', new Error('second'), { subject: 'extra' });
    const again = heart.machine.faults.refuse('attachMissing', new Error('third'), { subject: 'moved' });
    await expect(change(NEW)).rejects.toThrow('Failed to start device "moved": first');
    expect(inside()).toEqual({
      root: '/',
      eth0: 'nic free',
      lan: 'nic free',
      extra: '/extra',
      gone: '/gone',
    });
    again();
    heart = await heart.crash();
    await heart.settle();
    expect(inside()).toEqual(BEFORE);
  });

  it('names the device that cannot be added, with the runtime’s message', async () => {
    heart.machine.faults.refuse('attach', new Error('mount failed'), { subject: 'extra' });
    await expect(change(NEW)).rejects.toThrow('Failed to start device "extra": mount failed');
  });

  it('names the device that the host does not have', async () => {
    heart.machine.faults.refuse('checkDevice', new Error('missing source'), { subject: 'extra' });
    await expect(change(NEW)).rejects.toThrow('Failed add validation for device "extra": missing source');
  });

  it('is refused if a nic would get the address of another nic at its bridge', async () => {
    const lan = { type: 'nic', nictype: 'bridged', parent: 'br0', hwaddr: '00:16:3e:11:22:3a' };
    const text = 'Failed add validation for device "second": MAC address "00:16:3e:11:22:3a" already defined';
    await change({ first: lan });
    await expect(change({ first: lan, second: lan })).rejects.toThrow(text);
    expect(heart.get('c1').devices).toEqual({ first: lan });
    await heart.addRunning('c2');
    const update = { ...heart.get('c2'), devices: { second: lan } };
    await expect(heart.done(heart.host.instances.update('c2', update, BY))).rejects.toThrow(text);
  });
});

describe('A guest API that is switched off', () => {
  beforeEach(async () => {
    await change(OLD, open());
  });
  const shut = () => change(OLD, { ...heart.get('c1').config, 'security.devlxd': 'false' });

  it('loses its mount inside and its connections', async () => {
    heart.connections.open.set(1, 4);
    await shut();
    expect(heart.run('c1').guestApiMounts).toBe(0);
    expect(heart.connections.open.has(1)).toBe(false);
  });

  it('is refused before the mount is removed, which the instance cannot delay', async () => {
    heart.connections.open.set(1, 4);
    const held = heart.machine.faults.hold('setGuestApiMount');
    const done = shut();
    await held.reached;
    expect(heart.guest.view(1, 1)?.devlxd).toBe(false);
    expect(heart.connections.open.has(1)).toBe(false);
    held.fail(new Error('tampered with'));
    await done;
    expect(heart.get('c1').config['security.devlxd']).toBe('false');
  });

  it('stays on if that cannot be stored', async () => {
    heart.connections.open.set(1, 4);
    heart.store.refuse();
    await expect(shut()).rejects.toThrow('full');
    expect(heart.run('c1').guestApiMounts).toBe(1);
    expect(heart.connections.open.get(1)).toBe(4);
    expect(heart.guest.view(1, 1)?.devlxd).toBe(true);
  });
});

describe('A write of the instance during a change', () => {
  it('is kept: its readiness and its guest keys', async () => {
    await change(OLD, { ...open(), 'security.devlxd.guest_config': 'true' });
    const held = heart.machine.faults.hold('attach', { subject: 'extra' });
    const changed = change({ ...OLD, extra: disk('/extra') });
    await held.reached;
    await heart.guest.setReady(1, true);
    await heart.guest.writeKey(1, 'guest.state', 'busy');
    held.open();
    await changed;
    expect(heart.get('c1').config).toMatchObject({
      'volatile.last_state.ready': 'true',
      'guest.state': 'busy',
    });
    expect(heart.get('c1').devices).toHaveProperty('extra');
  });
});
