import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LaneRuns } from './lane-runs.ts';
import { KnownRuns } from './testing/known-runs.ts';

// Thousands of rounds, or many processes, take long on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 });

let given: KnownRuns;

beforeEach(() => {
  given = new KnownRuns();
});
afterEach(() => given.end());

describe('a process that connects again', () => {
  it('is recognised', async () => {
    const child = await given.start('apart');
    given.addRun(7, given.initOf(child));
    for (let round = 0; round < 3; round++) {
      expect((await given.identified(child)).group?.caller).toEqual({
        kind: 'instance',
        instanceId: 7,
        runNumber: 7,
      });
    }
    expect(given.runs.knownProcesses).toBe(1);
  });

  it('belongs to no run when its run is over, and to the new run when another has begun', async () => {
    const child = await given.start('apart');
    const init = given.initOf(child);
    given.addRun(7, init);
    await given.identified(child);
    given.runs.end(7);
    expect([(await given.identified(child)).group, given.runs.knownProcesses]).toEqual([undefined, 0]);
    given.addRun(8, init);
    expect((await given.identified(child)).group?.instanceId).toBe(8);
  });
});

it('holds only a few processes of a run, even if many connect', async () => {
  const children = await Promise.all(Array.from({ length: 6 }, () => given.start('here')));
  given.addRun(7, process.pid);
  for (const child of children) {
    expect((await given.identified(child)).group?.instanceId).toBe(7);
  }
  expect(given.runs.knownProcesses).toBe(4);
});

it('keeps processes that connect often, and replaces one that connected once', async () => {
  given.runs = new LaneRuns(2);
  const [one, two, three] = [await given.start('here'), await given.start('here'), await given.start('here')];
  given.addRun(7, process.pid);
  for (const child of [one, two, one, three, three]) {
    expect((await given.identified(child)).group?.instanceId).toBe(7);
  }
  expect(given.runs.knows(one.pid)).toBe(true);
  await given.identified(three);
  expect([one, two, three].map(({ pid }) => given.runs.knows(pid))).toEqual([true, false, true]);
});

it('forgets processes that have ended, some at a time, without a new connection', async () => {
  const children = [await given.start('here'), await given.start('here'), await given.start('here')];
  given.addRun(7, process.pid);
  const connected: number[] = [];
  for (const child of children) connected.push((await given.identified(child)).pid);
  const ended = children.slice(0, 2).map((child) => once(child, 'exit'));
  for (const child of children.slice(0, 2)) child.kill('SIGKILL');
  await Promise.all(ended);
  const known = () => connected.map((pid) => given.runs.knows(pid));
  given.runs.sweep(1);
  expect(known()).toEqual([false, true, true]);
  for (let sweep = 0; sweep < 4; sweep++) given.runs.sweep(1);
  expect([...known(), given.runs.knownProcesses]).toEqual([false, false, true, 1]);
});
