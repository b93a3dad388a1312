import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CopyFacts, inspectCopy } from '../store/sqlite/inspect.ts';
import { copiesIn } from './folder.ts';

/** A checked copy. */
export type Verified = CopyFacts & { readonly path: string };

/**
 * Checks each page, index and reference of a copy. The size and the disk decide how long that takes.
 * @throws CodedError
 */
export function verifyCopy(path: string): Verified {
  return { path, ...inspectCopy(path, true) };
}

/** The name of the newest copy in the usual folder of a state directory whose daemon may not run. */
export function newestCopy(stateDir: string): string | undefined {
  const id = readFileSync(join(stateDir, 'id'), 'utf8').trim();
  return copiesIn(join(stateDir, 'backups'), id)[0]?.name;
}
