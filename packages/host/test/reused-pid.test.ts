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

it('a process with the pid of a caller that has ended is not taken for that caller', async () => {
  const child = await given.start('apart');
  const init = given.initOf(child);
  given.addRun(7, init);
  expect(await given.identified(child)).toMatchObject({
    pid: init,
    group: { instanceId: 7 },
  });
  const ended = once(child, 'exit');
  process.kill(init, 'SIGKILL');
  await ended;
  // Other programs start processes at the same time, so the pid may be missed: the test tries again.
  for (let attempt = 0; attempt < 200; attempt++) {
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(init - 1));
    const other = await given.start('here');
    if (other.pid === init) {
      expect(await given.identified(other)).toEqual({ pid: init, group: undefined });
      return;
    }
    other.kill('SIGKILL');
  }
  throw new Error(`no process could be given the pid ${init}`);
});
