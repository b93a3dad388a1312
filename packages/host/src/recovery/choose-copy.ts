import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { copyError } from '../store/sqlite/copy-errors.ts';
import { type CopyFacts, inspectCopy } from '../store/sqlite/inspect.ts';

/** A copy to recover from. */
export interface Choice {
  readonly path: string;
  readonly facts: CopyFacts;
}

/** Looks at a copy, and checks all of it if `check` is set. @throws CodedError of the table of copy errors */
type Look = (path: string, check: boolean) => CopyFacts;

/**
 * Checks a copy that an operator has named.
 * @param directoryId of the state directory; null if it is not known
 * @throws CodedError if the copy is damaged, or belongs to another directory
 */
export function checkNamed(path: string, directoryId: string | null, look: Look = inspectCopy): Choice {
  const facts = look(path, true);
  if (facts.id !== null && directoryId !== null && facts.id !== directoryId)
    throw copyError('copy-foreign', path, facts.id, directoryId);
  return { path, facts };
}

/**
 * The newest good copy among files. The highest position of an event decides, because clocks may have been wrong.
 * @param tell gets the reason why a newer copy is not used
 */
export function newestGood(
  paths: readonly string[],
  directoryId: string | null,
  tell: (sentence: string) => void,
  look: Look = inspectCopy,
): Choice | null {
  const attempt = (work: () => Choice): Choice[] => {
    try {
      return [work()];
    } catch (error) {
      tell(messageOf(error));
      return [];
    }
  };
  const found = paths
    .flatMap((path) => attempt(() => ({ path, facts: look(path, false) })))
    .sort((a, b) => b.facts.position - a.facts.position || (a.path < b.path ? 1 : -1));
  for (const { path } of found) {
    const [good] = attempt(() => checkNamed(path, directoryId, look));
    if (good) return good;
  }
  return null;
}

/** Paths of the files in a folder that are named like copies. */
export function copyPaths(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^porthole-[0-9a-f]{12}-\w+\.db$/.test(name));
    return names.map((name) => join(folder, name));
  } catch {
    return [];
  }
}
