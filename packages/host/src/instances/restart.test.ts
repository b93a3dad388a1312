import { beforeEach, describe, expect, it } from 'vitest';
import { Heart } from './testing/heart.ts';
import { withChange } from './testing/test-store.ts';
import { ownTimers, pass } from './testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
  heart.told.length = 0;
});

describe('A restart', () => {
  it.each([
    { timeout: -1, force: false },
    { timeout: 0, force: false },
    { timeout: 10, force: true },
  ])('makes a new run and one event: %o', async (request) => {
    const { pid } = heart.run('c1');
    await heart.setState('c1', 'restart', request);
    expect(heart.run('c1').pid).not.toBe(pid);
    expect(heart.power('c1')).toBe('RUNNING');
    expect(heart.told).toEqual(['instance-restarted c1']);
  });

  it('is stored before init is asked to shut down', async () => {
    heart.run('c1').obeys = false;
    const restarted = heart.setState('c1', 'restart');
    await heart.quiet();
    expect(heart.power('c1')).toBe('RESTARTING');
    heart.run('c1').end('stop');
    await restarted;
    expect(heart.power('c1')).toBe('RUNNING');
  });

  it('that cannot be stored does not end the run', async () => {
    const { pid } = heart.run('c1');
    heart.store.refuse();
    await expect(heart.setState('c1', 'restart')).rejects.toThrow('full');
    expect(heart.run('c1').pid).toBe(pid);
  });

  it('is given up if the instance does not shut down in time', async () => {
    heart.run('c1').obeys = false;
    const failed = expect(heart.setState('c1', 'restart', { timeout: 5 })).rejects.toThrow('in time');
    await pass(heart, 5_000);
    await failed;
    expect(heart.power('c1')).toBe('RUNNING');
    expect(heart.told).toEqual([]);
  });

  it('with force kills the instance at once, whatever the time', async () => {
    heart.run('c1').obeys = false;
    await heart.setState('c1', 'restart', { timeout: 5, force: true });
    expect(heart.told).toEqual(['instance-restarted c1']);
  });

  it('becomes a stop if a forced stop comes in between', async () => {
    heart.run('c1').obeys = false;
    const restarted = heart.setState('c1', 'restart');
    await heart.quiet();
    await heart.setState('c1', 'stop', { force: true });
    await restarted;
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it.each(['stop', 'restart'] as const)(
    'with force goes before a %s that waits, and both succeed',
    async (action) => {
      const { pid } = heart.run('c1');
      heart.run('c1').obeys = false;
      const waiting = heart.setState('c1', action);
      await heart.quiet();
      await heart.setState('c1', 'restart', { force: true });
      await waiting;
      expect(heart.run('c1').pid).not.toBe(pid);
      expect(heart.power('c1')).toBe('RUNNING');
      expect(heart.told).toEqual(['instance-restarted c1']);
    },
  );

  it('with force that goes before another fails like it if the start fails', async () => {
    heart.run('c1').obeys = false;
    heart.machine.faults.refuse('start', new Error('no room'));
    const waiting = expect(heart.setState('c1', 'restart')).rejects.toThrow('no room');
    await heart.quiet();
    await expect(heart.setState('c1', 'restart', { force: true })).rejects.toThrow('no room');
    await waiting;
    expect(heart.power('c1')).toBe('STOPPED');
  });

  it('with force does not go before a start', async () => {
    await heart.setState('c1', 'stop');
    const held = heart.machine.faults.hold('start');
    const started = heart.setState('c1', 'start');
    await held.reached;
    expect(() => heart.setState('c1', 'restart', { force: true })).toThrow(
      'busy running a "start" operation',
    );
    held.open();
    await started;
  });

  it('whose start fails leaves the instance stopped, also for the next daemon', async () => {
    heart.machine.faults.refuse('start', new Error('no room'));
    await expect(heart.setState('c1', 'restart')).rejects.toThrow('no room');
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
  });

  it('is stored as rebooting while the next run begins', async () => {
    const held = heart.machine.faults.hold('start');
    const restarted = heart.setState('c1', 'restart');
    await held.reached;
    expect(heart.power('c1')).toBe('REBOOTING');
    held.open();
    await restarted;
  });

  it('of an ephemeral instance does not delete it', async () => {
    const { id } = await heart.addRunning('e1', { ephemeral: true });
    await heart.setState('e1', 'restart');
    expect(heart.get('e1').id).toBe(id);
    expect(heart.status('e1')).toBe('Running');
  });

  it('whose end cannot be stored is finished once it can', async () => {
    heart.run('c1').obeys = false;
    const failed = expect(heart.setState('c1', 'restart')).rejects.toThrow('full');
    await heart.quiet();
    const again = heart.store.refuse(withChange('put-instance'));
    heart.run('c1').end('stop');
    await failed;
    again();
    await pass(heart, 1_000);
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-restarted c1']);
  });

  it('of a stopped instance is refused', async () => {
    await heart.setState('c1', 'stop');
    await expect(heart.setState('c1', 'restart')).rejects.toThrow('The instance is already stopped');
  });
});
