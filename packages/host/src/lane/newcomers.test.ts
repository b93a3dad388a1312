import { expect, it } from 'vitest';
import { type NewProcesses, STORM_PER_SECOND } from '../core/new-processes.ts';
import { NEWCOMERS_CGROUPS_MAX, NEWCOMERS_LOOKS, NEWCOMERS_MS } from './lane-limits.ts';
import { type Newcomer, Newcomers } from './newcomers.ts';

const MS_PER_S = 1000;

/** Batches of one millisecond; a socket is the pid of the process that has connected it. */
function watched(cgroupOf: (pid: number) => Newcomer['cgroup'] = () => 1n) {
  const reports: NewProcesses[] = [];
  let looks = 0;
  const newcomers = new Newcomers(
    (found) => reports.push(found),
    (pid) => {
      looks++;
      return pid === 0 ? null : { pid, cgroup: cgroupOf(pid) };
    },
  );
  let nowMs = 1_000_000;
  /** A batch that comes `afterMs` after the last one. */
  const runOnce = (batch: readonly number[], afterMs: number) => {
    newcomers.look(batch);
    nowMs += afterMs;
    newcomers.count(batch.length, batch.length, nowMs);
  };
  /** @param pids gives the pids of each batch; `strangers` of them were not known */
  const run = (ms: number, pids: () => number[], strangers = (batch: readonly number[]) => batch.length) => {
    for (let each = 0; each < ms; each++) {
      const batch = pids();
      newcomers.look(batch);
      newcomers.count(batch.length, strangers(batch), ++nowMs);
    }
  };
  return { reports, run, runOnce, looks: () => looks };
}

/** Batches of new processes. */
function fresh(perSecond: number): () => number[] {
  let [pid, owed] = [1, 0];
  return () => {
    owed += perSecond / MS_PER_S;
    const count = Math.floor(owed);
    owed -= count;
    return Array.from({ length: count }, () => pid++);
  };
}

it('reports the cgroup of new processes within fifty milliseconds of a storm, and goes on as long as it does', () => {
  const { reports, run } = watched();
  run(2 * NEWCOMERS_MS, fresh(20_000));
  expect(reports.length).toBeGreaterThanOrEqual(1);
  run(1000, fresh(20_000));
  expect(reports.length).toBeGreaterThanOrEqual(39);
  const { connectionsPerSecond, looked, byCgroup } = reports.at(-1)!;
  expect(connectionsPerSecond).toBe(20_000);
  expect(byCgroup).toEqual(new Map([[1n, looked]]));
});

it('looks at no connection while fewer new processes connect than in half a storm', () => {
  const { reports, run, looks } = watched();
  run(3000, fresh(STORM_PER_SECOND / 2 - 100));
  expect([looks(), reports]).toEqual([0, []]);
});

it('reports nothing while there are a little fewer than in a storm', () => {
  const { reports, run } = watched();
  run(3000, fresh(STORM_PER_SECOND - 100));
  expect(reports).toEqual([]);
});

it('reports nothing of known processes, however many connections they make', () => {
  const { reports, run, looks } = watched();
  run(
    1000,
    () => Array.from({ length: 40 }, (_, at) => at + 1),
    () => 0,
  );
  expect([looks(), reports]).toEqual([0, []]);
});

it('a process that connects again and again without being known is new only once', () => {
  const { reports, run } = watched();
  run(1000, () => Array.from({ length: 40 }, () => 7));
  const found = reports.reduce((sum, { byCgroup }) => sum + (byCgroup.get(1n) ?? 0), 0);
  expect(reports.length).toBeGreaterThan(0);
  expect(found).toBe(1);
});

it('shows the part of each cgroup, and counts processes of which nothing is known only as looked at', () => {
  const { reports, run } = watched((pid) => [1n, 2n, 2n, null][pid % 4] as bigint | null);
  run(2000, fresh(20_000));
  const { looked, byCgroup } = reports.at(-1)!;
  expect(byCgroup.get(1n)! / looked).toBeCloseTo(0.25, 1);
  expect(byCgroup.get(2n)! / looked).toBeCloseTo(0.5, 1);
  expect([...byCgroup.keys()].sort()).toEqual([1n, 2n]);
});

it('a process that cannot be asked at all counts as looked at', () => {
  const { reports, run } = watched();
  run(100, () => Array.from({ length: 20 }, () => 0));
  expect(reports.at(-1)?.looked).toBeGreaterThan(100);
  expect(reports.at(-1)?.byCgroup.size).toBe(0);
});

it('reports few cgroups if each process has one of its own', () => {
  const { reports, run } = watched((pid) => BigInt(pid));
  run(1000, fresh(20_000));
  expect(reports.length).toBeGreaterThan(0);
  for (const { byCgroup, looked } of reports) {
    expect(byCgroup.size).toBeLessThan(NEWCOMERS_CGROUPS_MAX + NEWCOMERS_LOOKS);
    expect(looked).toBe(byCgroup.size);
  }
});

it('a rest before a storm does not hide it, and a storm that is over is not reported', () => {
  const { reports, run } = watched();
  run(5000, () => []);
  run(2 * NEWCOMERS_MS, fresh(20_000));
  const { length } = reports;
  expect(length).toBeGreaterThanOrEqual(1);
  run(2 * NEWCOMERS_MS, () => []);
  const after = reports.length;
  run(5000, fresh(100));
  expect([after - length <= 1, reports.length - after]).toEqual([true, 0]);
});

it('reports a storm also if each batch comes long after the one before, because the lane waits for the processor', () => {
  const { reports, runOnce } = watched();
  const pids = fresh(20_000);
  const batch = () =>
    Array.from({ length: 6 * NEWCOMERS_MS }, pids)
      .flat()
      .slice(0, 128);
  for (let each = 0; each < 6; each++) runOnce(batch(), NEWCOMERS_MS + 5);
  expect(reports.length).toBeGreaterThanOrEqual(2);
});
