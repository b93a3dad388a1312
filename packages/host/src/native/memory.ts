import { measureMemory } from 'node:vm';
import { declareSlow } from './libc.ts';

/** A function of glibc; other C libraries keep less memory. */
const trim = declareSlow('int malloc_trim(size_t pad)');

/** Returns memory that the C library keeps for later to the system, malloc_trim(3). Takes milliseconds. */
export async function returnFreeMemory(): Promise<void> {
  await trim?.(0);
}

/**
 * Makes V8 drop the empty pages that it has kept for at least some seconds since a garbage collection. It
 * does so at the next collection, even one of new objects only, which takes a millisecond or two. This needs
 * `--expose-gc`, with which `bin/portholed` starts; without it, V8 drops the pages when it next needs space
 * for new objects.
 */
export function dropEmptyPages(): void {
  void globalThis.gc?.({ type: 'minor' });
}

/**
 * Makes V8 search the heap of this thread and free its garbage. Unlike `gc`, which stops everything until it
 * is done, this goes on in small pieces and beside other work, as V8 does by itself when memory gets short.
 */
export async function collectGarbage(): Promise<void> {
  // The measured size is not needed: it is known when the whole heap has been searched.
  await measureMemory({ execution: 'eager' });
}
