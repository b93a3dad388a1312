import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from './config-keys.ts';
import type { Config, Devices, Image, Instance, Profile } from './entities.ts';
import { expand } from './expand.ts';
import type { Random } from './random.ts';
import {
  afterRename,
  afterStart,
  afterStop,
  afterUpdate,
  beforeRestart,
  betweenRuns,
  imageConfig,
  isBetweenRuns,
  isRestarting,
  newVolatile,
  whileRunning,
  withoutReady,
  withReady,
} from './volatile.ts';

/** Counts, so that every value is a different one. */
function counting(): Random {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    bytes: (length) => Uint8Array.from({ length }, (_, index) => (index === length - 1 ? ++count : 0)),
  };
}

const nic = { type: 'nic', nictype: 'p2p' };
const ID = 'volatile.cloud-init.instance-id';

function instanceOf(config: Config, devices: Devices = {}, profiles: string[] = []): Instance {
  const times = { createdAt: '2026-01-01T00:00:00Z', lastStartedAt: '1970-01-01T00:00:00Z' };
  return {
    id: 1,
    name: 'c1',
    architecture: 'x86_64',
    description: '',
    ephemeral: false,
    profiles,
    config,
    devices,
    ...times,
  };
}

const created = (config: Config, devices: Devices = {}) =>
  instanceOf(newVolatile({ config }, devices, counting()), devices);

function update(before: Instance, after: Instance, old: Profile[] = [], now: Profile[] = old): Config {
  const map = (profiles: Profile[]) => new Map(profiles.map((profile) => [profile.name, profile]));
  const random = counting();
  for (let draw = 0; draw < 100; draw++) random.uuid();
  return afterUpdate(before, after, expand(before, map(old)), expand(after, map(now)), random);
}

describe('newVolatile', () => {
  it('adds ids, and for each nic an address and the first free name', () => {
    const devices = { b: nic, a: { ...nic, name: 'eth0' }, c: nic, root: { type: 'disk' } };
    expect({ ...newVolatile({ config: { 'user.a': 'b' } }, devices, counting()) }).toEqual({
      'user.a': 'b',
      'volatile.uuid': '00000000-0000-4000-8000-000000000001',
      [ID]: '00000000-0000-4000-8000-000000000002',
      'volatile.a.hwaddr': '00:16:3e:00:00:03',
      'volatile.b.hwaddr': '00:16:3e:00:00:04',
      'volatile.b.name': 'eth1',
      'volatile.c.hwaddr': '00:16:3e:00:00:05',
      'volatile.c.name': 'eth2',
    });
  });

  it('keeps a given instance id and nic values, but not the uuid and values of an earlier run', () => {
    const given = { [ID]: 'mine', 'volatile.n.hwaddr': '00:16:3e:aa:bb:cc', 'volatile.n.name': 'lan0' };
    const stale = {
      'volatile.uuid': 'x',
      'volatile.last_state.power': 'RUNNING',
      'volatile.n.host_name': 'veth1',
    };
    expect({ ...newVolatile({ config: { ...given, ...stale } }, { n: nic }, counting()) }).toEqual({
      ...given,
      'volatile.uuid': '00000000-0000-4000-8000-000000000001',
    });
  });

  it('gives two nics different addresses, also if the random bytes repeat', () => {
    const stuck: Random = { uuid: () => 'u', bytes: (count) => new Uint8Array(count).fill(255) };
    const config = newVolatile({ config: {} }, { a: nic, b: nic }, stuck);
    expect([config['volatile.a.hwaddr'], config['volatile.b.hwaddr']]).toEqual([
      '00:16:3e:ff:ff:ff',
      '00:16:3e:00:00:00',
    ]);
  });

  it('makes a config that checkConfig accepts', () => {
    expect(() => checkConfig(created({}, { a: nic }).config, 'instance')).not.toThrow();
  });
});

describe('states', () => {
  it('of a run are set at its start and removed at its end', () => {
    const started = afterStart(
      { 'volatile.apply_template': 'create', 'volatile.n.host_name': 'old' },
      { n: 'veth1' },
    );
    expect({ ...started }).toEqual({
      'volatile.last_state.power': 'RUNNING',
      'volatile.n.host_name': 'veth1',
    });
    const stopped = { 'volatile.last_state.power': 'STOPPED', 'volatile.last_state.ready': 'false' };
    expect({ ...afterStop(withReady(started, true)) }).toEqual(stopped);
    expect({ ...betweenRuns(withReady(started, true)) }).toEqual({
      ...stopped,
      'volatile.last_state.power': 'REBOOTING',
    });
    expect([isBetweenRuns(betweenRuns(started)), isBetweenRuns(started), isBetweenRuns({})]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('of a restart are set before the run ends, and change no other key', () => {
    const running = { 'volatile.last_state.power': 'RUNNING', 'user.a': 'b' };
    const restarting = beforeRestart(running);
    expect({ ...restarting }).toEqual({ 'volatile.last_state.power': 'RESTARTING', 'user.a': 'b' });
    const asked = [restarting, running].map((config) => [isRestarting(config), isBetweenRuns(config)]);
    expect(asked).toEqual([
      [true, false],
      [false, false],
    ]);
    expect({ ...whileRunning(restarting) }).toEqual(running);
  });

  it('of readiness are set to true, to false, and removed', () => {
    expect(withReady({}, true)['volatile.last_state.ready']).toBe('true');
    expect(withReady({ 'volatile.last_state.ready': 'true' }, false)['volatile.last_state.ready']).toBe(
      'false',
    );
    expect({ ...withoutReady({ 'volatile.last_state.ready': 'true', 'user.a': 'b' }) }).toEqual({
      'user.a': 'b',
    });
  });

  it('have a new instance id after a rename', () => {
    expect(afterRename({ [ID]: 'old' }, counting())[ID]).toBe('00000000-0000-4000-8000-000000000001');
  });
});

describe('afterUpdate', () => {
  const before = created({ 'user.a': '1', 'cloud-init.user-data': 'x' }, { n: nic });

  it('changes nothing if the update changes nothing', () => {
    const keys = fc.constantFrom(
      'user.a',
      'user.user-data',
      'cloud-init.ssh-keys.a',
      'volatile.n.name',
      'volatile.x.name',
    );
    const devices = fc.dictionary(
      fc.constantFrom('n', 'constructor', 'a.b'),
      fc.constantFrom(nic, { type: 'disk' }),
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.string({ minLength: 1 })), devices, (config, some) => {
        const instance = created(config, some);
        expect(update(instance, instance)).toEqual(instance.config);
      }),
    );
  });

  it("keeps the server's own values, also if the update has others", () => {
    const running = { ...before, config: afterStart(before.config, { n: 'veth1' }) };
    const asked = {
      'volatile.uuid': 'x',
      'volatile.last_state.power': 'y',
      'volatile.last_state.ready': 'true',
    };
    const config = update(running, {
      ...running,
      config: { ...running.config, ...asked, 'volatile.n.host_name': 'z' },
    });
    expect(config).toEqual(running.config);
    expect(update(running, { ...running, config: {} })).toMatchObject({
      'volatile.uuid': running.config['volatile.uuid'],
      'volatile.last_state.power': 'RUNNING',
      'volatile.n.host_name': 'veth1',
    });
  });

  it.each([
    ['the trigger of templates that still wait', 'volatile.apply_template', 'rename'],
    ['the image under the root filesystem', 'volatile.base_image', 'f'.repeat(64)],
  ])('keeps %s, and takes none from an update', (_what, key, other) => {
    const waiting = { ...before, config: { ...before.config, [key]: 'create' } };
    for (const config of [{}, { [key]: other }]) {
      expect(update(waiting, { ...waiting, config })[key]).toBe('create');
    }
    expect(update(before, { ...before, config: { ...before.config, [key]: 'create' } })).not.toHaveProperty(
      key,
    );
  });

  it('drops the kept values of a device that is gone, masked or of another type, and no others', () => {
    const two = created({}, { n: nic, 'n.m': nic });
    const kept = { 'volatile.n.m.hwaddr': two.config['volatile.n.m.hwaddr'] };
    for (const devices of [{ 'n.m': nic }, { n: { type: 'none' }, 'n.m': nic }] as Devices[]) {
      const config = update(two, { ...two, devices });
      expect(config).toMatchObject(kept);
      expect(config['volatile.n.hwaddr']).toBeUndefined();
      expect(config['volatile.n.name']).toBeUndefined();
    }
    const bridged = { type: 'nic', nictype: 'bridged', parent: 'br0' };
    const retyped = update(before, { ...before, devices: { n: bridged } });
    expect(retyped['volatile.n.hwaddr']).not.toBe(before.config['volatile.n.hwaddr']);
    expect(retyped['volatile.n.hwaddr']).toMatch(/^00:16:3e:/);
  });

  it('drops kept values that options of the nic replace, and chooses new ones without the options', () => {
    const options = { hwaddr: '00:16:3e:00:00:09', name: 'lan0' };
    const given = update(before, { ...before, devices: { n: { ...nic, ...options } } });
    expect(given).not.toHaveProperty(['volatile.n.hwaddr']);
    expect(given).not.toHaveProperty(['volatile.n.name']);
    const fixed = { ...before, config: given, devices: { n: { ...nic, ...options } } };
    const config = update(fixed, { ...fixed, devices: { n: nic } });
    expect(config['volatile.n.hwaddr']).not.toBe(before.config['volatile.n.hwaddr']);
    expect(config['volatile.n.hwaddr']).toMatch(/^00:16:3e:/);
    expect(config['volatile.n.name']).toBe('eth0');
  });

  it('keeps the last_state keys if a device named last_state is removed', () => {
    const odd = created({}, { last_state: nic });
    const running = { ...odd, config: afterStart(odd.config, {}) };
    const config = update(running, { ...running, devices: {} });
    expect(config['volatile.last_state.power']).toBe('RUNNING');
    expect(config['volatile.last_state.hwaddr']).toBeUndefined();
  });

  it('gives a new nic an address and a free name', () => {
    const config = update(before, { ...before, devices: { n: nic, o: nic } });
    expect(config['volatile.o.name']).toBe('eth1');
    expect(config['volatile.o.hwaddr']).toMatch(/^00:16:3e:/);
    expect(config['volatile.n.name']).toBe('eth0');
  });

  const own = (config: Config, devices: Devices = before.devices): Instance => ({
    ...before,
    config: { ...before.config, ...config },
    devices,
  });

  it.each([
    ['cloud-init.user-data changed', own({ 'cloud-init.user-data': 'y' })],
    ['cloud-init.vendor-data set', own({ 'cloud-init.vendor-data': 'y' })],
    ['user.network-config set', own({ 'user.network-config': 'y' })],
    ['an ssh key set', own({ 'cloud-init.ssh-keys.a': 'root:gh:a' })],
    ['a nic added', own({}, { n: nic, o: nic })],
    ['a nic removed', own({}, {})],
    ['the name of a nic changed', own({}, { n: { ...nic, name: 'lan0' } })],
    ['the kept name of a nic changed', own({ 'volatile.n.name': 'lan0' })],
  ])('makes a new instance id for %s', (_, after) => {
    expect(update(before, after)[ID]).not.toBe(before.config[ID]);
  });

  it.each([
    ['user.meta-data set', own({ 'user.meta-data': 'y' })],
    ['limits.cpu set', own({ 'limits.cpu': '1' })],
    ['the address of a nic changed', own({}, { n: { ...nic, hwaddr: '00:16:3e:00:00:09' } })],
    ['a nic given the name that it has', own({}, { n: { ...nic, name: 'eth0' } })],
    ['a disk added', own({}, { n: nic, d: { type: 'disk' } })],
  ])('keeps the instance id for %s', (_, after) => {
    expect(update(before, after)[ID]).toBe(before.config[ID]);
  });

  it('makes a new instance id for a change in a profile, unless a value of the instance hides it', () => {
    const profile = (config: Config): Profile => ({ name: 'p', description: '', config, devices: {} });
    const user = { ...before, profiles: ['p'] };
    const shown = update(user, user, [profile({})], [profile({ 'user.vendor-data': 'x' })]);
    const hidden = update(user, user, [profile({})], [profile({ 'cloud-init.user-data': 'y' })]);
    expect(shown[ID]).not.toBe(before.config[ID]);
    expect(hidden[ID]).toBe(before.config[ID]);
  });

  it('leaves an instance id that an operator removed unset until the next change for cloud-init', () => {
    const { [ID]: _, ...cleared } = before.config;
    const config = update(before, { ...before, config: cleared });
    expect(config[ID]).toBeUndefined();
    const later = { ...before, config };
    expect(update(later, { ...later, config: { ...config, 'user.a': '2' } })[ID]).toBeUndefined();
    expect(update(later, { ...later, config: { ...config, 'user.user-data': '2' } })[ID]).toBeDefined();
  });
});

describe('imageConfig', () => {
  it('keeps properties that a config can hold', () => {
    const properties = { os: 'busybox', empty: '', 'a\nb': 'x', nul: '\0', ['l'.repeat(300)]: 'x' };
    const image = { fingerprint: 'f'.repeat(64), properties } as unknown as Image;
    expect({ ...imageConfig(image) }).toEqual({
      'image.os': 'busybox',
      'volatile.base_image': 'f'.repeat(64),
    });
  });
});
