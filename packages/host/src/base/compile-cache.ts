import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Environment variables with which a child process uses this process's compile cache, if it has one. */
export function compileCacheVariables(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
