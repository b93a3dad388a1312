import { beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { Config } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
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

describe('Starts', () => {
  /** Begins an autostart whose starts are all held. @returns the names of the instances whose start has begun */
  function beginHeld() {
    const holds = new Map(
      ['1', '2', '3', '4', '5', '6', '7'].map((subject) => [
        subject,
        heart.machine.faults.hold('start', { subject }),
      ]),
    );
    const begun: string[] = [];
    for (const [subject, { reached }] of holds) void reached.then(() => begun.push(subject));
    const done = autostart(heart.parts, new AbortController().signal);
    return { done, begun, open: (subject: string) => holds.get(subject)?.open() };
  }

  it('of one priority begin by name, at most four at a time', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      heart.add(name, { config: { 'boot.autostart': 'true' } });
    const { done, begun, open } = beginHeld();
    await heart.quiet();
    expect(begun).toEqual(['1', '2', '3', '4']);
    open('3');
    await heart.quiet();
    expect(begun).toEqual(['1', '2', '3', '4', '5']);
    for (const subject of ['1', '2', '4', '5', '6']) open(subject);
    await done;
    expect(begun).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('of a lower priority wait until all of a higher one are over', async () => {
    const of = (priority: string) => ({
      config: { 'boot.autostart': 'true', 'boot.autostart.priority': priority },
    });
    for (const [name, priority] of ['2', '2', '1'].entries()) heart.add(`c${name}`, of(priority));
    heart.machine.faults.refuse('start', new Error('no'), { subject: '2' });
    const { done, begun, open } = beginHeld();
    await heart.quiet();
    expect(begun).toEqual(['1']);
    open('1');
    await heart.quiet();
    expect(begun).toEqual(['1', '3']);
    open('3');
    await done;
  });

  it('wait for one with a delay, and for the delay, but the ones before it go on', async () => {
    const of = (delay: string) => ({ config: { 'boot.autostart': 'true', 'boot.autostart.delay': delay } });
    for (const [name, delay] of ['0', '5', '0'].entries()) heart.add(`c${name}`, of(delay));
    const { done, begun, open } = beginHeld();
    await heart.quiet();
    expect(begun).toEqual(['1', '2']);
    open('2');
    await pass(heart, 4_999);
    expect(begun).toEqual(['1', '2']);
    await pass(heart, 1);
    expect(begun).toEqual(['1', '2', '3']);
    for (const subject of ['1', '3']) open(subject);
    await done;
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
    heart.add('a', { config: { 'boot.autostart': 'true', 'boot.autostart.priority': '1' } });
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

describe('An instance whose bridge does not exist yet', () => {
  const missing = hostError('device-parent-missing', 'eth0', 'br9');
  const nic = { type: 'nic', nictype: 'bridged', parent: 'br9' };
  const config = { 'boot.autostart': 'true', 'boot.autostart.priority': '1' };
  const log = { ...silentLog, warn: vi.fn(), error: vi.fn() };
  const abort = new AbortController();

  /** Begins the automatic starts of `late` and of `other`, which needs no bridge. */
  function begin(signal = abort.signal) {
    vi.clearAllMocks();
    const late = heart.add('late', { config, devices: { eth0: nic } });
    heart.add('other', { config: { 'boot.autostart': 'true' } });
    const appears = heart.machine.faults.refuse('checkStart', missing, { subject: 'br9' });
    const done = autostart({ ...heart.parts, log }, signal);
    return { late, appears, done };
  }

  it('waits for it and is started then; others are started meanwhile, and the log says it once', async () => {
    const { appears, done } = begin();
    await pass(heart, 30_000);
    expect([heart.runs('late'), heart.runs('other')]).toEqual([false, true]);
    appears();
    await pass(heart, 1_000);
    await done;
    expect(heart.runs('late')).toBe(true);
    expect(log.warn.mock.calls).toEqual([
      [expect.objectContaining({ instance: 'late', reason: missing.message }), expect.any(String)],
    ]);
    expect(log.error).not.toHaveBeenCalled();
  });

  it('waits for a bounded time, after which the log has the reason', async () => {
    const { appears, done } = begin();
    for (let minute = 0; minute < 5; minute++) await pass(heart, 60_000);
    await done;
    expect(log.error.mock.calls).toEqual([[{ err: missing, instance: 'late' }, expect.any(String)]]);
    appears();
    await pass(heart, 60_000);
    expect(heart.runs('late')).toBe(false);
  });

  it('is left alone after an operator has started and stopped it, deleted it, or made it start by hand', async () => {
    for (const name of ['stopped', 'deleted', 'manual']) heart.add(name, { config, devices: { eth0: nic } });
    const { appears, done } = begin();
    await pass(heart, 1_000);
    appears();
    await heart.setState('stopped', 'start');
    await heart.setState('stopped', 'stop', { force: true });
    const { instance } = heart.model;
    const deleted = instance.call(heart.model, 'deleted');
    const manual = instance.call(heart.model, 'manual');
    heart.model.commit([
      { kind: 'delete-instance', id: deleted.id },
      { kind: 'put-instance', instance: { ...manual, config: { ...config, 'boot.autostart': 'false' } } },
    ]);
    await pass(heart, 1_000);
    await done;
    expect(['late', 'stopped', 'manual'].map((name) => heart.runs(name))).toEqual([true, false, false]);
  });

  it('is starting until then, and a stop ends the wait', async () => {
    const { appears, done } = begin();
    await pass(heart, 1_000);
    expect(heart.host.instances.get('late').status).toBe('Starting');
    await expect(heart.setState('late', 'start')).rejects.toThrow('br9');
    expect(heart.host.instances.get('late').status).toBe('Starting');
    await heart.setState('late', 'stop', { force: true });
    expect(heart.host.instances.get('late').status).toBe('Stopped');
    appears();
    await pass(heart, 2_000);
    await done;
    expect(heart.runs('late')).toBe(false);
  });

  it.each(['', 'false'])(
    'goes on with the reboot that the end of the daemon has cut off: %s',
    async (auto) => {
      const config = { 'volatile.last_state.power': 'REBOOTING', ...(auto && { 'boot.autostart': auto }) };
      heart.add('c1', { config, devices: { eth0: nic } });
      const { appears, done } = begin();
      await pass(heart, 2_000);
      expect(heart.model.instance('c1').config['volatile.last_state.power']).toBe('REBOOTING');
      appears();
      await pass(heart, 1_000);
      await done;
      expect(heart.runs('c1')).toBe(true);
    },
  );

  it('is no longer waited for when the daemon ends', async () => {
    const end = new AbortController();
    const { done } = begin(end.signal);
    await pass(heart, 1_000);
    end.abort();
    await done;
  });

  it('is not started by an operator, who is told at once', async () => {
    heart.machine.faults.refuse('checkStart', missing, { subject: 'br9' });
    heart.add('late', { devices: { eth0: nic } });
    await expect(heart.setState('late', 'start')).rejects.toThrow(
      'Failed to start device "eth0": Parent device "br9" doesn\'t exist',
    );
  });
});
