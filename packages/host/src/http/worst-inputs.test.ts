import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { run } from '../process/run.ts';

const PROGRAM = fileURLToPath(new URL('./testing/worst-inputs.ts', import.meta.url));
/**
 * Code that looks at each byte a few times takes up to 21 steps; code that looks at it again and again,
 * thousands.
 */
const STEPS_MAX = 32;
/**
 * Twice as many bytes should take as many steps per byte as before. Not exactly: V8 does not count all of
 * them while it compiles.
 */
const GROWTH_MAX = 1.5;

/** Steps per byte, for half of the input and for all of it. */
type Counted = readonly [name: string, half: number, full: number];

it('looks at each byte of the worst inputs only a few times, in inputs of any size', async () => {
  const counted = await run(process.execPath, [PROGRAM]);
  if (!counted.ok) throw new Error(counted.failure);
  const inputs = JSON.parse(counted.stdout) as Counted[];
  expect(inputs.length).toBeGreaterThan(20);
  const wrong = ([, half, full]: Counted) =>
    half < 1 || full > STEPS_MAX || full > half * GROWTH_MAX || half > full * GROWTH_MAX;
  expect(inputs.filter(wrong)).toEqual([]);
});
