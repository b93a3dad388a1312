import { expect, test as it } from 'vitest';
import { SILENCE_MS_MAX } from '../src/fleet/link/link-limits.ts';
import { run } from '../src/process/run.ts';

const PROGRAM = new URL('../src/fleet/testing/silent-link.ts', import.meta.url).pathname;

it.each(['idle', 'busy'])('both sides of a link notice a host that is silently gone: %s', async (how) => {
  const ended = await run('unshare', ['-n', process.execPath, PROGRAM, how], { timeoutMs: 60_000 });
  expect(ended.failure).toBe('');
  const { client, server } = JSON.parse(ended.stdout);
  for (const ms of [client, server]) expect(ms).toBeLessThan(2 * SILENCE_MS_MAX);
});
