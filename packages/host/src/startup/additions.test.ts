import { beforeEach, describe, expect, it } from 'vitest';
import { disk, nic } from '../instances/testing/devices.ts';
import { BY, Heart } from '../instances/testing/heart.ts';
import { telling, withChange } from '../instances/testing/test-store.ts';

const OLD = { old: disk('/old'), eth0: nic() };
const NEW = { mnt: disk('/mnt'), lan: nic() };

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1', { devices: OLD });
});

/** Begins an update that replaces all devices by others. */
const change = () => void heart.host.instances.update('c1', { ...heart.get('c1'), devices: NEW }, BY);
async function nextSettled(): Promise<Heart> {
  const next = await heart.crash();
  await next.settle();
  return next;
}
const inside = (of: Heart) => [...of.run('c1').devices.keys()].sort();

describe('A change that is cut off', () => {
  it.each([
    ['before', 'lan'],
    ['after', 'lan'],
    ['before', 'mnt'],
    ['after', 'mnt'],
  ] as const)('%s %s is added leaves nothing of it inside or on the host', async (when, subject) => {
    const held = heart.machine.faults.hold('attach', { when, subject });
    change();
    await held.reached;
    const next = await nextSettled();
    expect(inside(next)).not.toContain('lan');
    expect(inside(next)).not.toContain('mnt');
    expect(next.run('c1').places.has('/mnt')).toBe(false);
    expect(next.run('c1').hostNames).not.toHaveProperty('lan');
    expect(next.store.additions().size).toBe(0);
    expect(next.get('c1').devices).toEqual(OLD);
  });

  it('gets back the disks that it had removed, since the instance still has them', async () => {
    const held = heart.machine.faults.hold('detach', { when: 'after', subject: 'old' });
    change();
    await held.reached;
    expect(inside(heart)).not.toContain('old');
    const next = await nextSettled();
    expect(inside(next)).toContain('old');
  });

  it.each(['foresee', 'checkDevice'])('at %s has changed nothing', async (verb) => {
    const held = heart.machine.faults.hold(verb, { subject: 'mnt' });
    change();
    await held.reached;
    const next = await nextSettled();
    expect(inside(next)).toEqual(['eth0', 'old', 'root']);
  });

  it('before its devices are stored as being added has changed nothing', async () => {
    heart.store.dieAt('before', withChange('put-additions'));
    change();
    await heart.life.ended;
    const next = await nextSettled();
    expect(inside(next)).toEqual(['eth0', 'old', 'root']);
  });

  it('before its commit is undone', async () => {
    heart.store.dieAt('before', telling('instance-updated'));
    change();
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.get('c1').devices).toEqual(OLD);
    expect(inside(next)).not.toContain('mnt');
  });

  it('after its commit stays', async () => {
    heart.store.dieAt('after', telling('instance-updated'));
    change();
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.get('c1').devices).toEqual(NEW);
    expect(inside(next)).toEqual(['lan', 'mnt', 'root']);
    expect(next.store.additions().size).toBe(0);
  });

  it('together with the run of its instance leaves nothing to remove', async () => {
    const held = heart.machine.faults.hold('attach', { when: 'after', subject: 'mnt' });
    change();
    await held.reached;
    heart.life.end();
    heart.run('c1').end('stop');
    const next = await nextSettled();
    expect(next.store.additions().size).toBe(0);
    expect(next.power('c1')).toBe('STOPPED');
  });

  it('of an instance that has been deleted leaves no record', async () => {
    heart.model.commit([
      { kind: 'put-additions', instanceId: 9, additions: [{ name: 'x', device: disk('/x'), created: true }] },
    ]);
    const next = await nextSettled();
    expect(next.store.additions().size).toBe(0);
  });

  it('gets back the interfaces that it had removed, under their names on the host', async () => {
    const held = heart.machine.faults.hold('detach', { when: 'after', subject: 'eth0' });
    const names = { ...heart.run('c1').hostNames };
    change();
    await held.reached;
    expect(heart.run('c1').hostNames).toEqual({});
    const next = await nextSettled();
    expect(next.run('c1').hostNames).toEqual(names);
    expect(next.store.additions().size).toBe(0);
  });

  it('gets back the limits of an interface', async () => {
    heart.store.dieAt('before', telling('instance-updated'));
    const devices = { ...OLD, eth0: nic({ 'limits.max': '1Mbit' }) };
    void heart.host.instances.update('c1', { ...heart.get('c1'), devices }, BY);
    await heart.life.ended;
    expect(heart.run('c1').devices.get('eth0')).toHaveProperty('limits.max');
    const next = await nextSettled();
    expect(next.run('c1').devices.get('eth0')).not.toHaveProperty('limits.max');
  });

  it('of an adopted instance leaves no record', async () => {
    const pid = heart.machine.startForeign();
    const source = { type: 'adopt' as const, pid };
    const part = {
      description: '',
      architecture: '',
      ephemeral: false,
      profiles: null,
      config: {},
      devices: {},
    };
    await heart.done(heart.host.instances.create({ name: 'a1', source, ...part }, BY));
    heart.model.commit([{ kind: 'put-additions', instanceId: heart.get('a1').id, additions: [] }]);
    expect((await nextSettled()).store.additions().size).toBe(0);
  });

  it('is undone by a later start, or with the run, if a device cannot be removed now', async () => {
    const held = heart.machine.faults.hold('attach', { when: 'after', subject: 'mnt' });
    change();
    await held.reached;
    const again = heart.machine.faults.refuse('withdraw', new Error('in use'), { subject: 'mnt' });
    heart = await nextSettled();
    expect(inside(heart)).toEqual(['eth0', 'mnt', 'old', 'root']);
    again();
    heart = await nextSettled();
    expect(inside(heart)).toEqual(['eth0', 'old', 'root']);
    expect(heart.store.additions().size).toBe(0);
    heart.model.commit([{ kind: 'put-additions', instanceId: heart.get('c1').id, additions: [] }]);
    await heart.setState('c1', 'stop', { force: true });
    expect(heart.store.additions().size).toBe(0);
  });
});
