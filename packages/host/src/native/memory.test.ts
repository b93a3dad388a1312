import { expect, it } from 'vitest';
import { declareSlow } from './libc.ts';
import { returnFreeMemory } from './memory.ts';

it('is given back by the C library of this machine', async () => {
  expect(declareSlow('int malloc_trim(size_t pad)')).toBeDefined();
  expect(declareSlow('int no_such_function(int x)')).toBeUndefined();
  await returnFreeMemory();
});
