import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** The environment in which another program of ours finds the compiled code that this one keeps, if it keeps any. */
export function compileCacheVariables(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
