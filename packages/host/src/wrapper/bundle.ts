import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
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
    const before = await readPlain(path);
    const after = JSON.stringify(withEdits(parseExactly(before), place));
    // A link that has taken the place of the file meanwhile is not followed either.
    if (after !== before) await replaceFile(path, after, 0o644, 'replace');
  } catch (error) {
    throw new Error(`${path} cannot be edited: ${messageOf(error)}`, { cause: error });
  }
}

/** What a link leads to may be the file of another container. To read a named pipe may never end. */
async function readPlain(path: string): Promise<string> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await using file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new Error('it is a symbolic link') : error;
  });
  if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
  return file.readFile('utf8');
}
