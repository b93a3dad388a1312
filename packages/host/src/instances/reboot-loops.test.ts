import { beforeEach, describe, expect, it } from 'vitest';
import { BY, Heart } from './testing/heart.ts';
import { ownTimers, pass } from './testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
});

async function reboot(): Promise<void> {
  heart.run('c1').end('reboot');
  await heart.quiet();
}

/** Reboots the instance as soon as it runs, so often that its next start must wait. */
async function rebootUntilItWaits(): Promise<void> {
  await reboot();
  await reboot();
  heart.told.length = 0;
}

describe('An instance that reboots again and again', () => {
  it('waits longer each time', async () => {
    await reboot();
    for (const seconds of [1, 2, 4, 8, 16, 32, 32]) {
      await reboot();
      await pass(heart, seconds * 1_000 - 1);
      expect(heart.runs('c1')).toBe(false);
      await pass(heart, 1);
      expect(heart.runs('c1')).toBe(true);
    }
  });

  it('has the status Starting while it waits', async () => {
    await rebootUntilItWaits();
    expect(heart.status('c1')).toBe('Starting');
    expect(heart.power('c1')).toBe('REBOOTING');
  });

  it('does not wait after it has run for a while', async () => {
    await reboot();
    await pass(heart, 30_000);
    await reboot();
    expect(heart.runs('c1')).toBe(true);
  });

  it('starts at once, and only once, if an operator starts it', async () => {
    await rebootUntilItWaits();
    await heart.setState('c1', 'start');
    const { pid } = heart.run('c1');
    await pass(heart, 60_000);
    expect(heart.run('c1').pid).toBe(pid);
    expect(heart.told).toEqual(['instance-started c1']);
  });

  it('starts at once if an operator restarts it', async () => {
    await rebootUntilItWaits();
    await heart.setState('c1', 'restart');
    expect(heart.status('c1')).toBe('Running');
    expect(heart.told).toEqual(['instance-restarted c1']);
  });

  it('is stopped if an operator stops it while it waits', async () => {
    await rebootUntilItWaits();
    await heart.setState('c1', 'stop');
    await pass(heart, 60_000);
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
    expect(heart.told).toEqual(['instance-stopped c1']);
  });

  it('is deleted if an operator deletes it while it waits', async () => {
    await rebootUntilItWaits();
    await heart.done(heart.host.instances.delete('c1', BY));
    await pass(heart, 60_000);
    expect(heart.machine.runs.size).toBe(0);
    expect(heart.told).toEqual(['instance-deleted c1']);
  });

  it('is started by the next daemon if this one dies while it waits', async () => {
    await rebootUntilItWaits();
    const next = await heart.crash();
    await next.settle();
    expect(next.status('c1')).toBe('Running');
  });

  it('is stopped if its delayed start fails', async () => {
    await rebootUntilItWaits();
    heart.machine.faults.refuse('start');
    await pass(heart, 1_000);
    expect(heart.status('c1')).toBe('Stopped');
    expect(heart.power('c1')).toBe('STOPPED');
  });
});
