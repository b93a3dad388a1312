import { openSync } from 'node:fs';
import { expect, test as it } from 'vitest';
import { run } from './run.ts';

it('gives the output of a command, and why it failed', async () => {
  expect(await run('sh', ['-c', 'cat; echo bad >&2; exit 3'], { input: 'hello' })).toMatchObject({
    ...{ ok: false, code: 3, signal: null, stdout: 'hello', stderr: 'bad\n', timedOut: false, stuck: null },
    failure: 'sh: exit code 3: bad',
  });
  expect(await run('true', [])).toMatchObject({ ok: true, failure: '' });
  expect(await run('/nowhere', [])).toMatchObject({ ok: false, code: null });
});

it('kills a command when its time is over', async () => {
  const ended = await run('sleep', ['60'], { timeoutMs: 50 });
  expect(ended).toMatchObject({ ok: false, signal: 'SIGKILL', timedOut: true, stuck: null });
  expect(ended.failure).toBe('sleep: it does not answer');
});

it('kills a command when its signal is aborted', async () => {
  const abort = new AbortController();
  const ended = run('sleep', ['60'], { signal: abort.signal });
  abort.abort();
  expect(await ended).toMatchObject({ ok: false, signal: 'SIGKILL', timedOut: false });
  expect(await run('sleep', ['60'], { signal: abort.signal })).toMatchObject({ signal: 'SIGKILL' });
});

it('does not wait for a process that keeps the output of a killed command open', async () => {
  const begun = performance.now();
  const ended = await run('sh', ['-c', 'sleep 20 & wait'], { timeoutMs: 50 });
  expect(ended).toMatchObject({ ok: false, timedOut: true });
  expect(performance.now() - begun).toBeLessThan(10_000);
  await ended.stuck;
});

it('passes on only the given descriptors', async () => {
  const [given, other] = [openSync('/etc/hostname', 'r'), openSync('/etc/passwd', 'r')];
  const { stdout } = await run('readlink', ['/proc/self/fd/3', `/proc/self/fd/${other}`], {
    descriptors: [given],
  });
  expect(stdout).toBe('/etc/hostname\n');
});
