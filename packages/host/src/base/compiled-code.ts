import { flushCompileCache } from 'node:module';

/**
 * Writes what this thread has compiled so far to Node's compile cache. Node does that itself only when a
 * program ends by itself: a daemon that is killed, or replaced by a new version, would compile all of it again
 * each time. It takes 8 ms once for each version of the program, later 1.5 ms.
 */
export function keepCompiledCode(): void {
  flushCompileCache();
}
