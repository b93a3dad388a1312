import { expect, it } from 'vitest';
import { run } from '../process/run.ts';
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

const MEMORY = new URL('./memory.ts', import.meta.url).href;

it('makes V8 collect new objects, in a Node that started without a flag for that', async () => {
  const program = `
    import { PerformanceObserver } from 'node:perf_hooks';
    import { dropEmptyPages } from '${MEMORY}';
    const seen = new PerformanceObserver((list) => {
      console.log(list.getEntries().map(({ detail }) => detail.flags).join(), typeof globalThis.gc);
      process.exit();
    });
    seen.observe({ entryTypes: ['gc'] });
    dropEmptyPages();
    setInterval(() => {}, 1000);`;
  const { stdout } = await run(process.execPath, ['--eval', program], { timeoutMs: 20_000 });
  // 4: forced, by that function.
  expect(stdout).toMatch(/^4.* undefined\n$/);
});
