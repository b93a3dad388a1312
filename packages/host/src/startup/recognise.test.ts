import { beforeEach, describe, expect, it } from 'vitest';
import { recognisedIn } from '../daemon/host-backend.ts';
import { Heart } from '../instances/testing/heart.ts';
import { ownTimers, pass } from '../instances/testing/time.ts';

ownTimers();

let heart: Heart;
beforeEach(async () => {
  heart = await Heart.begin();
  await heart.addRunning('c1');
  await heart.addRunning('c2');
});

describe('A run with a note', () => {
  it('is recognised at once when the daemon begins, without asking LXC', async () => {
    heart.machine.faults.refuse('recover');
    const next = await heart.crash();
    expect(next.status('c1')).toBe('Running');
    expect([...next.identity.known.keys()]).toEqual([1, 2]);
    expect(next.starting).toEqual([]);
  });

  it('blocks other work on the instance until the work of the start on it is done', async () => {
    const next = await heart.crash();
    const stopped = next.setState('c1', 'stop');
    await next.quiet();
    expect(next.status('c1')).toBe('Running');
    await next.settle();
    await stopped;
    expect(next.status('c1')).toBe('Stopped');
  });

  it('that cannot be registered is ended, without effect on others', async () => {
    heart.life.end();
    heart.stop();
    const next = await Heart.begin({ ...heart.world }, null, ({ identity }) => {
      identity.troubleOf.add(1);
    });
    expect(next.runs('c1')).toBe(false);
    expect(next.status('c2')).toBe('Running');
  });
});

it('A run whose note cannot be read is found by asking its runtime, and is not started again', async () => {
  heart.machine.faults.refuse('recall', new Error('EIO'), { subject: '1' });
  const next = await heart.crash();
  await next.settle();
  expect(next.status('c1')).toBe('Running');
  expect([...next.identity.known.keys()].sort()).toEqual([1, 2]);
  expect(next.told).toEqual([]);
});

describe('A run without a note', () => {
  beforeEach(() => {
    heart.machine.notes = false;
  });

  it('is looked for while the daemon serves; its callers may be unregistered until then', async () => {
    const held = heart.machine.faults.hold('recover', { subject: '1' });
    const next = await heart.crash();
    const settled = next.settle();
    await held.reached;
    expect(next.starting).toEqual([true]);
    expect(next.status('c1')).toBe('Stopped');
    held.open();
    await settled;
    expect(next.status('c1')).toBe('Running');
    expect(next.starting.at(-1)).toBe(false);
  });

  it('delays only requests about its instance or all instances', async () => {
    const held = heart.machine.faults.hold('recover', { subject: '1' });
    const next = await heart.crash();
    const settled = next.settle();
    const known: string[] = [];
    const recognised = recognisedIn(next.parts);
    for (const name of ['c1', 'c2', 'c3']) void recognised(name).then(() => known.push(name));
    void recognised().then(() => known.push('all'));
    await held.reached;
    await next.quiet();
    expect(known.sort()).toEqual(['c2', 'c3']);
    held.open();
    await settled;
    expect(known).toContain('c1');
    expect(known).toContain('all');
  });

  it('delays requests by at most ten seconds', async () => {
    heart.machine.faults.hold('recover', { subject: '1' });
    const next = await heart.crash();
    void next.settle();
    let known = false;
    void recognisedIn(next.parts)('c1').then(() => {
      known = true;
    });
    await pass(next, 9_999);
    expect(known).toBe(false);
    await pass(next, 1);
    expect(known).toBe(true);
  });

  it('is not started a second time if its state cannot be found out', async () => {
    heart.machine.faults.refuse('recover', new Error('no answer'), { subject: '1' });
    const next = await heart.crash();
    const { pid } = next.run('c1');
    await next.settle();
    expect(next.status('c1')).toBe('Stopped');
    expect(next.run('c1').pid).toBe(pid);
    expect(next.status('c2')).toBe('Running');
  });
});

describe('Work at the start', () => {
  it('does not block other instances if it does not end', async () => {
    const held = heart.machine.faults.hold('setGuestApiMount', { subject: '1' });
    const next = await heart.crash();
    void next.settle();
    await held.reached;
    await next.quiet();
    await next.setState('c2', 'stop');
    expect(next.status('c2')).toBe('Stopped');
  });
});
