import { beforeEach, describe, expect, it } from 'vitest';
import type { Config, Devices, Instance } from '../core/entities.ts';
import { performPlans } from './perform.ts';
import { changesOf, guestApiChange, planUpdate } from './plan.ts';
import { disk, nic } from './testing/devices.ts';
import { Heart } from './testing/heart.ts';

let heart: Heart;
let c1: Instance;
beforeEach(async () => {
  heart = await Heart.begin();
  heart.addProfile('web', { config: { 'user.role': 'web' }, devices: { srv: disk('/srv') } });
  c1 = await heart.addRunning('c1', { devices: { eth0: nic() } });
});

const plan = (part: Partial<Instance>) =>
  planUpdate(heart.parts, c1, { ...c1, ...part }, heart.model.state.profiles);
const config = (part: Config) => ({ config: { ...c1.config, ...part } });
const devices = (part: Devices) => ({ devices: { ...c1.devices, ...part } });

describe('A plan', () => {
  it('has the steps from the current to the requested expanded devices', () => {
    const { steps } = plan({ profiles: ['default', 'web'], ...devices({ eth0: nic({ mtu: '1400' }) }) });
    expect(steps.map(({ action, name }) => `${action} ${name}`)).toEqual([
      'removed eth0',
      'added eth0',
      'added srv',
    ]);
  });

  it('has no steps for a stopped instance', async () => {
    await heart.setState('c1', 'stop');
    expect(plan(devices({ mnt: disk('/mnt') })).steps).toEqual([]);
  });

  it('gives a new nic its address and its name', () => {
    const { next } = plan(devices({ lan: nic() }));
    expect(next.config['volatile.lan.hwaddr']).toMatch(/^00:16:3e:/);
    expect(next.config['volatile.lan.name']).toMatch(/^eth\d$/);
  });

  it('keeps the server’s own values, even if others are requested', () => {
    const asked = config({
      'volatile.uuid': '99999999-0000-4000-8000-000000000000',
      'volatile.last_state.power': 'STOPPED',
    });
    const { next } = plan(asked);
    expect(next.config['volatile.last_state.power']).toBe('RUNNING');
    expect(next.config['volatile.uuid']).toBe(c1.config['volatile.uuid']);
  });

  it('makes cloud-init run again if its data changes', () => {
    const key = 'volatile.cloud-init.instance-id';
    const { next } = plan(config({ 'cloud-init.user-data': '#cloud-config\n{}' }));
    expect(next.config[key]).not.toBe(c1.config[key]);
    expect(plan(config({ 'user.a': '1' })).next.config[key]).toBe(c1.config[key]);
  });

  it('takes an empty value as the removal of the key, which must be one that there is', () => {
    expect(plan(config({ 'user.a': '' })).next.config).not.toHaveProperty('user.a');
    expect(() => plan(config({ 'no.such': '' }))).toThrow(
      'Invalid config: Unknown configuration key: no.such',
    );
  });

  it('has no effect by itself', () => {
    plan({ description: 'new', ...config({ 'user.a': '1' }), ...devices({ mnt: disk('/mnt') }) });
    expect(heart.get('c1')).toBe(c1);
    expect([...heart.run('c1').devices.keys()].sort()).toEqual(['eth0', 'root']);
  });
});

describe('A plan is refused', () => {
  const cases: [string, () => Partial<Instance>, string][] = [
    ['a key that there is not', () => config({ 'no.such': '1' }), 'Invalid config: '],
    ['a value that a key cannot have', () => config({ 'boot.autostart': 'maybe' }), 'Invalid config: '],
    ['a device of no type', () => devices({ x: { path: '/x' } }), 'Invalid devices: '],
    ['two disks at one place', () => devices({ a: disk('/a'), b: disk('/a') }), 'Invalid expanded devices: '],
    ['a profile that is not there', () => ({ profiles: ['no'] }), 'Profile not found'],
    ['a profile twice', () => ({ profiles: ['web', 'web'] }), 'Duplicate profile found in request'],
    [
      'a place that a profile has taken',
      () => ({ profiles: ['default', 'web'], ...devices({ a: disk('/srv') }) }),
      'Invalid expanded devices: ',
    ],
  ];
  it.each(cases)('for %s', (_what, part, message) => {
    expect(() => plan(part())).toThrow(message);
  });

  it('for a key that the runtime cannot apply', () => {
    heart.machine.faults.refuse('checkConfig', new Error('cannot'), { subject: 'limits.cpu' });
    expect(() => plan(config({ 'limits.cpu': '2' }))).toThrow('cannot');
  });
});

describe('The change of security.devlxd', () => {
  it.each([
    [undefined, undefined, null],
    [undefined, 'false', false],
    ['false', undefined, true],
    ['true', 'false', false],
    ['false', 'true', true],
    ['true', undefined, null],
    ['false', 'false', null],
  ])('from %s to %s switches the guest API: %s', (was, is, change) => {
    const of = (value: string | undefined) => ({
      config: (value === undefined ? {} : { 'security.devlxd': value }) as Config,
      devices: {},
    });
    const empty = { current: c1, next: c1, steps: [] };
    expect(guestApiChange({ ...empty, before: of(was), after: of(is) })).toBe(change);
  });
});

describe('The commit of a plan', () => {
  it('has an event for each changed key of the instance’s view, and none for other keys', () => {
    const { events } = changesOf(
      plan({ profiles: ['default', 'web'], ...config({ 'limits.cpu': '1' }) }),
      heart.model.current(c1.id),
    );
    expect(events.map(({ type, metadata }) => [type, metadata])).toMatchObject([
      ['config', { key: 'user.role', old_value: '', value: 'web' }],
      ['device', { action: 'added', name: 'srv' }],
    ]);
  });

  it('keeps the time of a start since the plan was made', () => {
    const made = plan({ description: 'new' });
    const newest = { ...c1, lastStartedAt: '2030-01-01T00:00:00Z' };
    const { instance } = changesOf(made, newest);
    expect(instance).toMatchObject({ description: 'new', lastStartedAt: '2030-01-01T00:00:00Z' });
  });

  it('leaves the record of an instance alone that stays as it is', () => {
    const plain = heart.add('plain');
    const made = planUpdate(heart.parts, plain, plain, heart.model.state.profiles);
    expect(changesOf(made, plain)).toEqual({ instance: null, events: [] });
  });

  it('is refused if the instance has been deleted since', async () => {
    const made = plan({});
    await heart.setState('c1', 'stop');
    heart.model.commit([{ kind: 'delete-instance', id: c1.id }]);
    await expect(performPlans(heart.parts, [made])).rejects.toThrow('Instance not found');
  });
});
