import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../process/run.ts';

const PROGRAM = fileURLToPath(new URL('worst-inputs.fixture.ts', import.meta.url));
const TIMES_MAX = 20;

it('takes for the worst input no more than a few times what a plain head of the same size takes', async () => {
  const measured = await run(process.execPath, [PROGRAM]);
  if (!measured.ok) throw new Error(measured.failure);
  const times = JSON.parse(measured.stdout) as [string, number][];
  expect(times.length).toBeGreaterThan(20);
  expect(times.filter(([, each]) => each > TIMES_MAX)).toEqual([]);
});
