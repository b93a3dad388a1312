import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ask, until } from '../harness/api.ts';
import { TestDaemon } from '../harness/daemon.ts';
import { Operator } from '../harness/operator.ts';

/** Five looks of the daemon at its memory, and as many in which it may still have other work. */
const REST_MS = 100_000;

/** Kilobytes of the pages of files that the daemon has in its memory. */
function filePages({ pid }: TestDaemon): number {
  return Number(/^RssFile:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

it('a daemon at rest takes its program out of its memory, again after a restart, and works as before', async () => {
  await using daemon = await TestDaemon.start();
  const operator = new Operator(daemon);
  await daemon.must('image', 'build', 'busybox');
  await operator.launch('c1');
  const init = await operator.pid('c1');
  for (const role of ['web', 'db']) {
    const before = filePages(daemon);
    await until('the daemon gives its program back', () => filePages(daemon) < before / 2, REST_MS);
    await daemon.must('config', 'set', 'c1', `user.role=${role}`);
    expect(await ask(daemon, { init }, '/1.0/config/user.role')).toMatchObject({ status: 200, body: role });
    expect((await daemon.inside('c1', 'echo', role)).stdout).toBe(`${role}\n`);
    await daemon.must('launch', 'busybox', `of-${role}`);
    await daemon.restartInPlace();
  }
});
