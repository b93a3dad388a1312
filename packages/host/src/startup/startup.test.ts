import { beforeEach, describe, expect, it } from 'vitest';
import { nic } from '../instances/testing/devices.ts';
import { Heart } from '../instances/testing/heart.ts';
import { telling, withChange } from '../instances/testing/test-store.ts';
import { ownTimers, pass } from '../instances/testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
});

/** Kills the daemon. @returns the next one, after all work of its start */
async function nextSettled(): Promise<Heart> {
  const next = await heart.crash();
  await next.settle();
  return next;
}

describe('A first start', () => {
  it('makes the default profile, once', async () => {
    expect(heart.host.profiles.list().map(({ profile }) => profile.name)).toEqual(['default']);
    heart.model.commit([
      {
        kind: 'put-profile',
        profile: { ...heart.host.profiles.get('default').profile, description: 'mine' },
      },
    ]);
    const next = await heart.crash();
    expect(next.host.profiles.get('default').profile.description).toBe('mine');
  });
});

describe('A daemon that begins', () => {
  it.each([true, false])(
    'recognises runs that have gone on, with notes of them or without: %s',
    async (notes) => {
      heart.machine.notes = notes;
      const { id } = await heart.addRunning('c1');
      const run = heart.run('c1');
      const next = await nextSettled();
      expect(next.run('c1')).toBe(run);
      expect(next.status('c1')).toBe('Running');
      expect(next.identity.known.has(id)).toBe(true);
      expect(next.told).toEqual([]);
    },
  );

  it('notices the end of a recognised run', async () => {
    await heart.addRunning('c1');
    const next = await nextSettled();
    next.run('c1').end('stop');
    await next.quiet();
    expect(next.status('c1')).toBe('Stopped');
    expect(next.told).toEqual(['instance-shutdown c1']);
  });

  it('recognises a frozen instance as frozen', async () => {
    await heart.addRunning('c1');
    await heart.setState('c1', 'freeze');
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Frozen');
    await next.setState('c1', 'unfreeze');
    expect(next.status('c1')).toBe('Running');
  });

  it('needs a new report that an instance is ready', async () => {
    const { id } = await heart.addRunning('c1');
    await heart.guest.setReady(id, true);
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
  });

  it('begins even if it cannot store anything', async () => {
    const { id } = await heart.addRunning('c1');
    await heart.guest.setReady(id, true);
    heart.life.end();
    const next = await heart.crash();
    expect(next.status('c1')).toBe('Running');
  });
});

describe('The guest API mount of a recognised run', () => {
  it.each([
    ['true', 0, 1],
    ['false', 1, 0],
  ])('is made or removed as configured: security.devlxd is %s', async (devlxd, found, left) => {
    await heart.addRunning('c1', { config: { 'security.devlxd': devlxd } });
    heart.run('c1').guestApiMounts = found;
    const next = await nextSettled();
    expect(next.run('c1').guestApiMounts).toBe(left);
  });

  it('stays as it is if it cannot be changed', async () => {
    await heart.addRunning('c1');
    heart.machine.faults.refuse('setGuestApiMount');
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
  });
});

describe('A run that ended while no daemon ran', () => {
  it('is stored as ended, with one event', async () => {
    const { id } = await heart.addRunning('c1');
    heart.life.end();
    heart.run('c1').end('stop');
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Stopped');
    expect(next.power('c1')).toBe('STOPPED');
    expect(next.told).toEqual(['instance-shutdown c1']);
    expect(next.identity.known.has(id)).toBe(false);
    const another = await next.crash();
    await another.settle();
    expect(another.told).toEqual([]);
  });

  it('has its instance deleted with its files if it is ephemeral', async () => {
    const { id } = await heart.addRunning('e1', { ephemeral: true });
    heart.life.end();
    heart.run('e1').end('stop');
    const next = await nextSettled();
    expect(next.model.hasInstance('e1')).toBe(false);
    expect(next.machine.folders.has(id)).toBe(false);
  });

  it('is stored later if the disk is full', async () => {
    await heart.addRunning('c1');
    heart.life.end();
    heart.run('c1').end('stop');
    const next = await heart.crash();
    const again = next.store.refuse(withChange('put-instance'));
    await next.settle();
    expect(next.power('c1')).toBe('RUNNING');
    again();
    await pass(next, 1_000);
    expect(next.power('c1')).toBe('STOPPED');
    expect(next.told).toEqual(['instance-shutdown c1']);
  });

  it('is followed by another run if it ended with a reboot', async () => {
    await heart.addRunning('c1', { config: { 'boot.autostart': 'false' } });
    heart.life.end();
    heart.run('c1').end('reboot');
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
  });
});

describe('A daemon that dies', () => {
  it('before a start is stored leaves a run that the next one stores', async () => {
    heart.add('c1');
    heart.store.dieAt('before', telling('instance-started'));
    void heart.setState('c1', 'start');
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
    expect(next.power('c1')).toBe('RUNNING');
    expect(next.told).toEqual(['instance-started c1']);
  });

  it('before a start is stored leaves the names of interfaces, and no templates to apply again', async () => {
    const config = { 'volatile.apply_template': 'create' };
    heart.add('c1', { devices: { eth0: nic() }, config });
    heart.store.dieAt('before', telling('instance-started'));
    void heart.setState('c1', 'start');
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.get('c1').config).toMatchObject({
      'volatile.eth0.host_name': next.run('c1').hostNames['eth0'],
    });
    expect(next.get('c1').config).not.toHaveProperty('volatile.apply_template');
    expect(next.get('c1').lastStartedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it('before a start after a boot of the host is stored leaves the names of its interfaces, not older ones', async () => {
    await heart.addRunning('c1', { devices: { eth0: nic() } });
    heart.life.end();
    heart.machine.reboot();
    const booted = await heart.crash();
    booted.store.dieAt('before', telling('instance-started'));
    void booted.settle();
    await booted.life.ended;
    const next = await booted.crash();
    await next.settle();
    expect(next.get('c1').config['volatile.eth0.host_name']).toBe(next.run('c1').hostNames['eth0']);
  });

  it('before an end is stored leaves it to the next one', async () => {
    await heart.addRunning('c1');
    heart.store.dieAt('before', telling('instance-shutdown'));
    heart.run('c1').end('stop');
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.told).toEqual(['instance-shutdown c1']);
  });

  it('after an end is stored leaves nothing to do', async () => {
    await heart.addRunning('c1');
    heart.store.dieAt('after', telling('instance-shutdown'));
    heart.run('c1').end('stop');
    await heart.life.ended;
    const next = await nextSettled();
    expect(next.power('c1')).toBe('STOPPED');
    expect(next.told).toEqual([]);
  });

  it('between the runs of a reboot leaves the start to the next one', async () => {
    await heart.addRunning('c1', { config: { 'boot.autostart': 'false' } });
    const held = heart.machine.faults.hold('start');
    heart.run('c1').end('reboot');
    await held.reached;
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
    expect(next.told).toEqual(['instance-started c1']);
  });
});

describe('A restart that is cut off', () => {
  beforeEach(async () => {
    await heart.addRunning('c1', { config: { 'boot.autostart': 'false' } });
  });

  it.each([false, true])('before the run has ended continues (it ends meanwhile: %s)', async (ends) => {
    const { pid } = heart.run('c1');
    heart.run('c1').obeys = false;
    void heart.setState('c1', 'restart');
    await heart.quiet();
    const run = heart.run('c1');
    heart.life.end();
    if (ends) run.end('stop');
    run.obeys = true;
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
    expect(next.run('c1').pid).not.toBe(pid);
    expect(next.power('c1')).toBe('RUNNING');
  });

  it('between its runs continues with the next run', async () => {
    const held = heart.machine.faults.hold('start');
    void heart.setState('c1', 'restart');
    await held.reached;
    const next = await nextSettled();
    expect(next.status('c1')).toBe('Running');
  });

  it('after its start but before that is stored keeps the new run', async () => {
    heart.store.dieAt('before', telling('instance-restarted'));
    void heart.setState('c1', 'restart');
    await heart.life.ended;
    const run = heart.run('c1');
    const next = await nextSettled();
    expect(next.run('c1')).toBe(run);
    expect(next.power('c1')).toBe('RUNNING');
  });
});
