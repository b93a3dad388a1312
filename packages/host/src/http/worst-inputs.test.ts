import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../process/run.ts';

const PROGRAM = fileURLToPath(new URL('./testing/worst-inputs.ts', import.meta.url));
/** What is looked at once per byte takes up to 25 times as long; what is looked at again and again takes hundreds. */
const TIMES_MAX = 60;

it('looks at each byte of the worst inputs a few times at most: they take no more than some dozens of plain heads', async () => {
  const measured = await run(process.execPath, [PROGRAM]);
  if (!measured.ok) throw new Error(measured.failure);
  const times = JSON.parse(measured.stdout) as [string, number][];
  expect(times.length).toBeGreaterThan(20);
  expect(times.filter(([, each]) => each > TIMES_MAX)).toEqual([]);
});
