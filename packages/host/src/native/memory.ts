import { measureMemory } from 'node:vm';
import { declareSlow } from './libc.ts';

/** Of glibc; others keep less. */
const trim = declareSlow('int malloc_trim(size_t pad)');

/** Gives memory that the C library keeps for later back to the system, malloc_trim(3). It takes milliseconds. */
export async function returnFreeMemory(): Promise<void> {
  await trim?.(0);
}

/**
 * Has V8 drop the pages that it has kept, for some seconds at least, since garbage was collected in them. It does so at
 * the next collection, also of new objects only, which takes a millisecond or two. Nothing happens without
 * `--expose-gc`, with which `bin/portholed` starts: then it does so when it needs the next new objects.
 */
export function dropEmptyPages(): void {
  void globalThis.gc?.({ type: 'minor' });
}

/**
 * Has V8 look through the heap of this thread, and drop its garbage. Unlike `gc`, which stops everything until it is
 * done, that goes on in small pieces and beside other work: it is what V8 does by itself when memory gets short.
 */
export async function collectGarbage(): Promise<void> {
  // The size is not asked for: it is known when all of the heap has been looked through.
  await measureMemory({ execution: 'eager' });
}
