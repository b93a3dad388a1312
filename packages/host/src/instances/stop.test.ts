import { beforeEach, describe, expect, it } from 'vitest';
import { BY, Heart } from './testing/heart.ts';
import { withChange } from './testing/test-store.ts';
import { ownTimers, pass } from './testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
  heart.told.length = 0;
});

/** Begins a stop. `state.over` becomes `Success` or the error's message when it is over. */
function stop(timeout: number, force = false) {
  const state = { over: '' };
  const done = heart.setState('c1', 'stop', { timeout, force }).then(
    () => {
      state.over = 'Success';
    },
    (error: Error) => {
      state.over = error.message;
    },
  );
  return { state, done };
}

describe('An instance that shuts down when asked', () => {
  it.each([
    ['asked, for as long as it takes', { timeout: -1, force: false }, 'instance-shutdown c1'],
    ['asked, with a time', { timeout: 30, force: false }, 'instance-shutdown c1'],
    ['forced, whatever the time', { timeout: 30, force: true }, 'instance-stopped c1'],
    ['forced', { timeout: -1, force: true }, 'instance-stopped c1'],
    ['given no time', { timeout: 0, force: false }, 'instance-stopped c1'],
  ])('stops when it is %s', async (_how, request, told) => {
    const { id } = heart.get('c1');
    heart.connections.open.set(id, 3);
    await heart.setState('c1', 'stop', request);
    expect(heart.runs('c1')).toBe(false);
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual([told]);
    expect(heart.identity.known.has(id)).toBe(false);
    expect(heart.connections.open.has(id)).toBe(false);
  });

  it('is no longer ready, and has no names of interfaces on the host', async () => {
    heart.add('c2', { devices: { eth0: { type: 'nic', nictype: 'p2p' } } });
    await heart.setState('c2', 'start');
    await heart.guest.setReady(heart.get('c2').id, true);
    expect(heart.status('c2')).toBe('Ready');
    await heart.setState('c2', 'stop');
    expect(heart.get('c2').config).not.toHaveProperty('volatile.eth0.host_name');
    expect(heart.get('c2').config['volatile.last_state.ready']).toBe('false');
  });

  it('is released by the daemon', async () => {
    const run = heart.run('c1');
    await heart.setState('c1', 'stop');
    expect(run.holders).toBe(0);
  });
});

describe('An instance that does not shut down when asked', () => {
  beforeEach(() => {
    heart.run('c1').obeys = false;
  });

  it('goes on running when its time is over, and can be stopped later', async () => {
    const { state, done } = stop(30);
    await pass(heart, 29_999);
    expect(state.over).toBe('');
    await pass(heart, 1);
    await done;
    expect(state.over).toMatch('the instance did not shut down in time');
    expect(heart.status('c1')).toBe('Running');
    await heart.setState('c1', 'stop', { force: true });
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it('is killed at once if force is set, whatever the time', async () => {
    await heart.setState('c1', 'stop', { timeout: 30, force: true });
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it('is waited for without limit if the timeout is -1', async () => {
    const { state, done } = stop(-1);
    await pass(heart, 10_000_000);
    expect(state.over).toBe('');
    heart.run('c1').end('stop');
    await done;
    expect(heart.told).toEqual(['instance-shutdown c1']);
  });

  it('is killed by a second, forced stop, and both stops succeed', async () => {
    const { state, done } = stop(-1);
    await heart.quiet();
    await heart.setState('c1', 'stop', { force: true });
    await done;
    expect(state.over).toBe('Success');
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it('does not delay an update meanwhile', async () => {
    const { done } = stop(-1);
    await heart.quiet();
    await heart.host.instances.patch('c1', { description: 'new' }, BY);
    expect(heart.get('c1').description).toBe('new');
    heart.run('c1').end('stop');
    await done;
    expect(heart.get('c1').description).toBe('new');
  });

  it('holds up neither an edit of its profile, nor a list, nor what is shown of itself, nor a forced stop', async () => {
    const { state, done } = stop(30);
    await heart.quiet();
    heart.addProfile('web');
    const { profiles, instances } = heart.host;
    await instances.patch('c1', { profiles: ['default', 'web'] }, BY);
    await profiles.update('web', { description: '', config: { 'user.role': 'www' }, devices: {} }, BY);
    await profiles.rename('web', 'www', BY);
    expect(heart.model.view(heart.get('c1').id)?.config.get('user.role')).toBe('www');
    expect(instances.list().map(({ status }) => status)).toEqual(['Running']);
    expect(await instances.live('c1')).toMatchObject({ status: 'Running', pid: heart.run('c1').pid });
    expect(state.over).toBe('');
    await heart.setState('c1', 'stop', { force: true });
    await done;
    expect([state.over, heart.status('c1')]).toEqual(['Success', 'Stopped']);
  });

  it('refuses other changes of its state meanwhile, except a forced stop or restart', async () => {
    const { done } = stop(-1);
    await heart.quiet();
    for (const action of ['stop', 'start', 'restart', 'freeze'] as const)
      expect(() => heart.setState('c1', action)).toThrow('Instance is busy running a "stop" operation');
    heart.run('c1').end('stop');
    await done;
  });

  it('but ends by itself after that time counts as shut down by itself', async () => {
    const { done } = stop(1);
    await pass(heart, 1_000);
    await done;
    heart.run('c1').end('stop');
    await heart.quiet();
    expect(heart.told).toEqual(['instance-shutdown c1']);
    expect(heart.power('c1')).toBe('STOPPED');
  });
});

describe('A frozen instance', () => {
  beforeEach(async () => {
    await heart.setState('c1', 'freeze');
    heart.told.length = 0;
  });

  it.each([false, true])('is unfrozen so that it can stop (forced: %s)', async (force) => {
    await heart.setState('c1', 'stop', { force });
    expect(heart.status('c1')).toBe('Stopped');
  });

  it.each([-1, 0, 5])('refuses a restart without force, as LXD does (timeout: %d)', async (timeout) => {
    await expect(heart.setState('c1', 'restart', { timeout })).rejects.toThrow(
      'Instance is not running: it is frozen',
    );
    expect(heart.status('c1')).toBe('Frozen');
    expect(heart.power('c1')).toBe('RUNNING');
  });

  it('restarts when it is forced to', async () => {
    await heart.setState('c1', 'restart', { force: true });
    expect(heart.status('c1')).toBe('Running');
  });

  it('stops even if it ends before it can be unfrozen', async () => {
    const held = heart.machine.faults.hold('setFrozen');
    const stopped = heart.setState('c1', 'stop', { force: true });
    await held.reached;
    heart.run('c1').end('stop');
    held.fail(new Error('no such container'));
    await stopped;
    expect(heart.status('c1')).toBe('Stopped');
  });
});

describe('A stop', () => {
  it('is refused if the instance is stopped', async () => {
    await heart.setState('c1', 'stop');
    await expect(heart.setState('c1', 'stop')).rejects.toThrow('The instance is already stopped');
  });

  it('that cannot be stored is stored later', async () => {
    const again = heart.store.refuse(withChange('put-instance'));
    const { state, done } = stop(-1);
    await done;
    expect(state.over).toMatch('full');
    expect(heart.power('c1')).toBe('RUNNING');
    expect(heart.status('c1')).toBe('Stopped');
    await pass(heart, 1_000);
    expect(heart.power('c1')).toBe('RUNNING');
    again();
    await pass(heart, 2_000);
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual(['instance-shutdown c1']);
  });

  it('by force does not wait for other work, which the instance may delay', async () => {
    const held = heart.machine.faults.hold('checkDevice');
    const devices = { mnt: { type: 'disk', source: '/srv', path: '/mnt' } };
    const updated = heart.host.instances.patch('c1', { devices }, BY);
    const noted = expect(updated).rejects.toThrow('gone');
    await held.reached;
    const { state, done } = stop(30, true);
    await heart.quiet();
    expect(heart.runs('c1')).toBe(false);
    expect(state.over).toBe('');
    held.fail(new Error('gone'));
    await noted;
    await done;
    expect(state.over).toBe('Success');
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it('by force ends an instance that is just being frozen', async () => {
    const held = heart.machine.faults.hold('setFrozen', { when: 'after' });
    const frozen = heart.setState('c1', 'freeze');
    await held.reached;
    const { done } = stop(-1, true);
    await heart.quiet();
    held.open();
    await Promise.all([frozen, done]);
    expect(heart.status('c1')).toBe('Stopped');
  });
});
