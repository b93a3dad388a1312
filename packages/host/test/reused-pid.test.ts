// Only root may choose the next pid.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KnownRuns } from '../src/lane/testing/known-runs.ts';

let given: KnownRuns;

beforeEach(() => {
  given = new KnownRuns();
});
afterEach(() => given.end());

/** Other programs start processes at the same time, and one of them may have taken the pid and keep it. */
const CALLERS = 20;
const STARTS = 10;

it('a process with the pid of a caller that has ended is not taken for that caller', async () => {
  for (let instanceId = 1; instanceId <= CALLERS; instanceId++) {
    const init = await callerThatEnds(instanceId);
    const other = await startWithPid(init);
    if (other === null) continue;
    expect(await given.identified(other)).toEqual({ pid: init, group: undefined });
    return;
  }
  throw new Error('no process could be given the pid of another');
});

/** @returns the pid that it had */
async function callerThatEnds(instanceId: number): Promise<number> {
  const child = await given.start('apart');
  const init = given.initOf(child);
  given.addRun(instanceId, init);
  expect(await given.identified(child)).toMatchObject({ pid: init, group: { instanceId } });
  const ended = once(child, 'exit');
  process.kill(init, 'SIGKILL');
  await ended;
  return init;
}

async function startWithPid(pid: number) {
  for (let start = 0; start < STARTS; start++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const other = await given.start('here');
    if (other.pid === pid) return other;
    other.kill('SIGKILL');
  }
  return null;
}
