import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { parseExactly } from '../base/exact-json.ts';
import { replaceFile } from '../base/replace-file.ts';
import { type Place, withEdits } from '../setup/edits.ts';

/**
 * Adds mount and hooks to the `config.json` of a bundle, and changes nothing else in it.
 * @throws Error with a sentence that names the file
 */
export async function editBundle(bundle: string, place: Place): Promise<void> {
  if (!isAbsolute(place.stateDir))
    throw new Error(`The state directory is not an absolute path: ${place.stateDir}`);
  const path = join(resolve(bundle), 'config.json');
  try {
    const before = await readFile(path, 'utf8');
    const after = JSON.stringify(withEdits(parseExactly(before), place));
    if (after !== before) await replaceFile(path, after);
  } catch (error) {
    throw new Error(`${path} cannot be edited: ${messageOf(error)}`, { cause: error });
  }
}
