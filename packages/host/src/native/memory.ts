import { declareSlow } from './libc.ts';

/** Of glibc; others keep less. */
const trim = declareSlow('int malloc_trim(size_t pad)');

/** Gives memory that the C library keeps for later back to the system, malloc_trim(3). It takes milliseconds. */
export async function returnFreeMemory(): Promise<void> {
  await trim?.(0);
}
