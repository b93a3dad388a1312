import { expect, test as it } from 'vitest';
import { openFilesFor, openFilesMax } from './rlimit.ts';

it('gives what is wanted up to its own limit, and leaves that as it is', () => {
  const own = openFilesMax();
  expect(openFilesFor(10)).toBe(10);
  expect(openFilesFor(own)).toBe(own);
  expect(openFilesFor(2 ** 40)).toBeGreaterThanOrEqual(own);
  expect(openFilesMax()).toBe(own);
});
