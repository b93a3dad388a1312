import { expect, it } from 'vitest';
import { declareSlow } from './libc.ts';
import { collectGarbage, returnFreeMemory } from './memory.ts';

it('is returned to the system with the C library of this machine', async () => {
  expect(declareSlow('int malloc_trim(size_t pad)')).toBeDefined();
  expect(declareSlow('int no_such_function(int x)')).toBeUndefined();
  await returnFreeMemory();
});

it('is free of objects without references after a garbage collection', async () => {
  const gone = new WeakRef({ large: new Array(1000).fill(0) });
  await collectGarbage();
  expect(gone.deref()).toBeUndefined();
});
