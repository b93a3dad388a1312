import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Environment variables that let a child process use this process's compile cache; none if it has no cache. */
export function compileCacheVariables(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
