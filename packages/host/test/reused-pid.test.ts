// Only root may say which pid comes next.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KnownRuns } from '../src/lane/testing/known-runs.ts';

let given: KnownRuns;

beforeEach(() => {
  given = new KnownRuns();
});
afterEach(() => given.end());

it('a process that connects again is another when its pid is: the pid of one that has ended says nothing of who has it now', async () => {
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
  // Others start processes at the same time, so the number may be missed; not for ever.
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
