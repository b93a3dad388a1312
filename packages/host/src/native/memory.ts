import { setFlagsFromString } from 'node:v8';
import { measureMemory, runInNewContext } from 'node:vm';
import { declareSlow } from './libc.ts';

/** A function of glibc; other C libraries keep less memory. */
const trim = declareSlow('int malloc_trim(size_t pad)');

/** Returns memory that the C library keeps for later to the system, malloc_trim(3). Takes milliseconds. */
export async function returnFreeMemory(): Promise<void> {
  await trim?.(0);
}

/**
 * Makes V8 drop the empty pages that it has kept for at least some seconds since a garbage collection. It
 * does so at the next collection, even one of new objects only, which takes a millisecond or two.
 */
export function dropEmptyPages(): void {
  collector()({ type: 'minor' });
}

/**
 * Frees the garbage of this thread at once. For threads without an event loop, in which V8 could go on in small
 * pieces. Takes 5 ms with a heap of some megabytes, and longer with a larger one.
 */
export function collectAtOnce(): void {
  collector()({ type: 'major' });
}

let collect: NonNullable<typeof globalThis.gc> | undefined;

/**
 * V8's function for collections. A program that starts with the flag `--expose-gc` would have it too, but the
 * compiled code within Node is for other flags: Node would compile all of its own modules at each start. A new
 * context has the function if it is made while the flag is set.
 */
function collector(): NonNullable<typeof globalThis.gc> {
  if (collect) return collect;
  setFlagsFromString('--expose-gc');
  try {
    collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
    return collect;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/**
 * Makes V8 search the heap of this thread and free its garbage. Unlike `gc`, which stops everything until it
 * is done, this goes on in small pieces and beside other work, as V8 does by itself when memory gets short.
 */
export async function collectGarbage(): Promise<void> {
  // The measured size is not needed: it is known when the whole heap has been searched.
  await measureMemory({ execution: 'eager' });
}
