import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../core/entities.ts';
import { Heart } from '../instances/testing/heart.ts';
import { ownTimers, pass } from '../instances/testing/time.ts';
import { autostart } from './autostart.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
});

/** Reboots the host. @returns the next daemon, after all work of its start */
async function afterBoot(): Promise<Heart> {
  heart.life.end();
  heart.machine.reboot();
  const next = await heart.crash();
  await next.settle();
  return next;
}

describe('After a boot of the host', () => {
  it.each([
    ['ran', {}, true],
    ['ran', { 'boot.autostart': 'true' }, true],
    ['ran', { 'boot.autostart': 'false' }, false],
    ['was stopped', {}, false],
    ['was stopped', { 'boot.autostart': 'true' }, true],
    ['was stopped', { 'boot.autostart': 'false' }, false],
  ])('an instance that %s, with %o, is started: %s', async (was, config: Config, runs) => {
    if (was === 'ran') await heart.addRunning('c1', { config });
    else heart.add('c1', { config });
    const next = await afterBoot();
    expect(next.runs('c1')).toBe(runs);
    expect(next.told).toEqual(runs ? ['instance-started c1'] : []);
  });

  it('a profile can set boot.autostart', async () => {
    heart.addProfile('always', { config: { 'boot.autostart': 'true' } });
    heart.add('c1', { profiles: ['default', 'always'] });
    expect((await afterBoot()).status('c1')).toBe('Running');
  });

  it('higher priorities go first, then names', async () => {
    const of = (priority: string) => ({
      config: { 'boot.autostart': 'true', 'boot.autostart.priority': priority },
    });
    heart.add('b', of('1'));
    heart.add('a', of('1'));
    heart.add('last', { config: { 'boot.autostart': 'true' } });
    heart.add('first', of('7'));
    const { told } = await afterBoot();
    expect(told).toEqual(['first', 'a', 'b', 'last'].map((name) => `instance-started ${name}`));
  });

  it('an instance that cannot be started does not keep others from their start', async () => {
    heart.add('a', { config: { 'boot.autostart': 'true' } });
    heart.add('b', { config: { 'boot.autostart': 'true' } });
    heart.machine.faults.refuse('start', new Error('no'), { subject: '1' });
    const next = await afterBoot();
    expect([next.status('a'), next.status('b')]).toEqual(['Stopped', 'Running']);
  });

  it('an adopted instance is not started, since that is up to its runtime', async () => {
    const { id } = heart.add('c1', {
      config: {
        'volatile.adopted': '7:1:11111111-2222-4333-8444-555555555555',
        'volatile.last_state.power': 'RUNNING',
      },
    });
    const next = await afterBoot();
    expect(next.status('c1')).toBe('Stopped');
    expect(next.machine.runs.has(id)).toBe(false);
  });
});

describe('A pause after a start', () => {
  const config = (delay: string) => ({ config: { 'boot.autostart': 'true', 'boot.autostart.delay': delay } });

  it('delays the next start', async () => {
    heart.add('a', config('5'));
    heart.add('b', config('0'));
    const done = autostart(heart.parts, new AbortController().signal);
    await pass(heart, 4_999);
    expect([heart.runs('a'), heart.runs('b')]).toEqual([true, false]);
    await pass(heart, 1);
    await done;
    expect(heart.runs('b')).toBe(true);
  });

  it('ends when the daemon ends, without further starts', async () => {
    heart.add('a', config('5'));
    heart.add('b', config('0'));
    const abort = new AbortController();
    const done = autostart(heart.parts, abort.signal);
    await heart.quiet();
    abort.abort();
    await done;
    expect(heart.runs('b')).toBe(false);
  });
});

describe('An autostart', () => {
  it.each(['start', 'delete'] as const)('has no effect after another %s meanwhile', async (what) => {
    heart.add('a', { config: { 'boot.autostart': 'true' } });
    const { id } = heart.add('b', { config: { 'boot.autostart': 'true' } });
    const held = heart.machine.faults.hold('start', { subject: '1' });
    const done = autostart(heart.parts, new AbortController().signal);
    await held.reached;
    if (what === 'start') await heart.setState('b', 'start');
    else heart.model.commit([{ kind: 'delete-instance', id }]);
    const before = heart.machine.runs.get(id);
    held.open();
    await done;
    expect(heart.machine.runs.get(id)).toBe(before);
  });
});
