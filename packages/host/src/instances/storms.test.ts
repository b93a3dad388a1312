import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../base/log.ts';
import type { NewProcesses } from '../core/new-processes.ts';
import type { FoundRun, Init, Weights } from '../runtimes/contract/runtime.ts';
import { CALM_MS, CALM_MS_MAX, LOOK_MS, Storms } from './storms.ts';

const PERCENT = 5;
const REPORT_MS = 25;

/** A run with the weight 100; cgroup 10 and 11 are those of instance 1, cgroup 20 that of instance 2. */
class FakeRun implements FoundRun {
  readonly instanceId: number;
  weight = 100;
  isOver = false;
  readonly init = { pid: 1, isAlive: () => !this.isOver, signal() {}, duplicate: () => -1 } satisfies Init;

  constructor(instanceId: number) {
    this.instanceId = instanceId;
  }
}

class FakeWeights implements Weights {
  readonly runs = new Map([1, 2].map((id) => [id, new FakeRun(id)]));
  /** Changes that were begun, and the most that were under way at the same time. */
  changes = 0;
  together = 0;
  mostTogether = 0;
  /** How often the run of a cgroup was looked for. */
  looks = 0;
  /** What each change waits for. */
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;

  find(cgroup: bigint): FoundRun | null {
    this.looks++;
    return this.runs.get(Math.floor(Number(cgroup) / 10)) ?? null;
  }

  lower(run: FoundRun, percent: number): Promise<boolean> {
    return this.#change(run, percent, true);
  }

  async raise(run: FoundRun): Promise<void> {
    await this.#change(run, 100, false);
  }

  async #change({ init }: FoundRun, weight: number, down: boolean): Promise<boolean> {
    this.changes++;
    this.mostTogether = Math.max(this.mostTogether, ++this.together);
    await this.gate;
    this.together--;
    if (this.failure) throw this.failure;
    const run = [...this.runs.values()].find((each) => each.init === init);
    if (!run || run.isOver || (down && run.weight <= weight)) return false;
    run.weight = weight;
    return true;
  }
}

let weights: FakeWeights;
let storms: Storms;
let lines: string[];

beforeEach(() => {
  vi.useFakeTimers();
  weights = new FakeWeights();
  lines = [];
  const keep = (_: object, message: string) => void lines.push(message);
  const log = { ...silentLog, info: keep, warn: keep };
  storms = new Storms({ weights, percent: PERCENT, log, nowMs: () => Date.now() });
});
afterEach(async () => {
  await storms.stop();
  vi.useRealTimers();
});

const weightOf = (id: number) => weights.runs.get(id)?.weight;
const [LOWERED, RAISED] = [
  'lowered the weight of an instance in a fork storm',
  'gave an instance its weight back after a fork storm',
];

/** Reports of 20,000 connections a second, with new processes of some cgroups in percent. */
async function report(
  parts: Readonly<Record<string, number>>,
  times = 1,
  everyMs = REPORT_MS,
): Promise<void> {
  for (let each = 0; each < times; each++) {
    const byCgroup = new Map(Object.entries(parts).map(([cgroup, part]) => [BigInt(cgroup), part]));
    const found: NewProcesses = { connectionsPerSecond: 20_000, looked: 100, byCgroup };
    storms.note(found);
    await vi.advanceTimersByTimeAsync(everyMs);
  }
}

describe('an instance in a storm', () => {
  it('has less weight after the second report in a row, and its own again when it has been calm', async () => {
    await report({ 10: 90 });
    expect(weightOf(1)).toBe(100);
    await report({ 10: 90 });
    expect([weightOf(1), weightOf(2)]).toEqual([PERCENT, 100]);
    await vi.advanceTimersByTimeAsync(CALM_MS - LOOK_MS);
    expect(weightOf(1)).toBe(PERCENT);
    await vi.advanceTimersByTimeAsync(2 * LOOK_MS);
    expect([weightOf(1), lines]).toEqual([100, [LOWERED, RAISED]]);
  });

  it('keeps the low weight while it goes on, with one change and one line of the log', async () => {
    await report({ 10: 90 }, 1000);
    expect([weightOf(1), weights.changes, lines]).toEqual([PERCENT, 1, [LOWERED]]);
  });

  it.each([
    { 10: 6, 11: 6 },
    { 10: 4, 11: 4, 12: 2, 20: 45 },
  ])('is noticed if it divides its processes among cgroups of its own: %j', async (parts) => {
    await report(parts, 2);
    expect(weightOf(1)).toBe(PERCENT);
  });

  it('is lowered again after it was calm and storms once more', async () => {
    await report({ 10: 90 }, 2);
    await vi.advanceTimersByTimeAsync(2 * CALM_MS);
    await report({ 10: 90 }, 2);
    expect([weightOf(1), lines]).toEqual([PERCENT, [LOWERED, RAISED, LOWERED]]);
  });

  it('has to be calm for twice as long each time if it soon storms again, up to five minutes', async () => {
    const calmMs: number[] = [];
    for (let storm = 0; storm < 7; storm++) {
      await report({ 10: 90 }, 2);
      const sinceMs = Date.now();
      while (weightOf(1) === PERCENT) await vi.advanceTimersByTimeAsync(LOOK_MS);
      calmMs.push(Date.now() - sinceMs);
    }
    const inTens = calmMs.map((ms) => Math.floor(ms / CALM_MS));
    expect(inTens).toEqual([1, 2, 4, 8, 16, 30, 30]);
    await vi.advanceTimersByTimeAsync(CALM_MS_MAX + LOOK_MS);
    await report({ 10: 90 }, 2);
    await vi.advanceTimersByTimeAsync(CALM_MS + LOOK_MS);
    expect(weightOf(1)).toBe(100);
  });

  it('is lowered once for each run: the next run begins with its own weight', async () => {
    await report({ 10: 90 }, 2);
    weights.runs.get(1)!.isOver = true;
    weights.runs.set(1, new FakeRun(1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(weightOf(1)).toBe(100);
    await report({ 10: 90 }, 2);
    expect(weightOf(1)).toBe(PERCENT);
    await vi.advanceTimersByTimeAsync(2 * CALM_MS);
    expect([weightOf(1), lines]).toEqual([100, [LOWERED, LOWERED, RAISED]]);
  });
});

describe('the run of a cgroup is looked for', () => {
  it('only if it can be in a storm, also together with others', async () => {
    await report({ 10: 90, 20: 4, 21: 3, 90: 2 }, 2);
    expect([weights.looks, weightOf(1)]).toEqual([1, PERCENT]);
    await report({ 20: 5, 90: 4 }, 10);
    expect(weights.looks).toBe(1);
  });

  it('once for each storm and cgroup', async () => {
    await report({ 10: 6, 11: 6 }, 1000);
    expect([weights.looks, weightOf(1)]).toEqual([2, PERCENT]);
    await vi.advanceTimersByTimeAsync(2 * CALM_MS);
    await report({ 10: 6, 11: 6 }, 2);
    expect([weights.looks, weightOf(1)]).toEqual([4, PERCENT]);
  });

  it('again after very many others, which a storm can make', async () => {
    await report({ 10: 90 }, 2);
    for (let cgroup = 1000; cgroup < 2000; cgroup++) {
      weights.runs.set(Math.floor(cgroup / 10), weights.runs.get(1)!);
      await report({ [cgroup]: 90 });
    }
    await report({ 10: 90 });
    expect(weights.looks).toBe(1002);
  });
});

describe('an instance beside a storm', () => {
  it('keeps its weight, also if chance gives it too many processes now and then', async () => {
    for (let round = 0; round < 50; round++) {
      await report({ 10: 90, 20: 12 });
      await report({ 10: 90, 20: 5 });
    }
    expect([weightOf(1), weightOf(2)]).toEqual([PERCENT, 100]);
  });

  it('keeps its weight if two short bursts are apart', async () => {
    await report({ 20: 90 }, 10, 300);
    expect([weightOf(2), lines]).toEqual([100, []]);
  });
});

it('does not log, and leaves alone, an instance that has no more weight than a storm leaves it', async () => {
  weights.runs.get(1)!.weight = 3;
  await report({ 10: 90 }, 10);
  await vi.advanceTimersByTimeAsync(2 * CALM_MS);
  expect([weightOf(1), lines, weights.changes]).toEqual([3, [], 1]);
});

it('processes in no instance change nothing', async () => {
  await report({ 90: 100 }, 10);
  expect([weights.changes, lines]).toEqual([0, []]);
});

it('tries once for each storm if the host does not allow it, and says so', async () => {
  weights.failure = new Error('EROFS');
  await report({ 10: 90 }, 100);
  expect([weights.changes, lines]).toEqual([
    1,
    ['could not lower the weight of an instance in a fork storm'],
  ]);
});

it('makes one change of an instance at a time, however slow it is', async () => {
  const gate = Promise.withResolvers<void>();
  weights.gate = gate.promise;
  await report({ 10: 90 }, 2);
  await vi.advanceTimersByTimeAsync(2 * CALM_MS);
  await report({ 10: 90 }, 10);
  expect(weights.together).toBe(1);
  gate.resolve();
  await vi.advanceTimersByTimeAsync(0);
  await report({ 10: 90 }, 10);
  expect([weightOf(1), weights.mostTogether]).toEqual([PERCENT, 1]);
});

describe('the end of the daemon', () => {
  it('gives all weights back, and later reports change nothing', async () => {
    await report({ 10: 45, 20: 45 }, 2);
    expect([weightOf(1), weightOf(2)]).toEqual([PERCENT, PERCENT]);
    await storms.stop();
    await report({ 10: 90 }, 10);
    expect([weightOf(1), weightOf(2)]).toEqual([100, 100]);
  });

  it('does not wait for ever', async () => {
    await report({ 10: 90 }, 2);
    const { promise, resolve } = Promise.withResolvers<void>();
    weights.gate = promise;
    const stopped = vi.fn();
    const stop = storms.stop().then(stopped);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(stopped).toHaveBeenCalled();
    await stop;
    resolve();
  });
});
