import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const PRIVATE = 0o600;

/** Overwrites a file without emptying it first: on a full disk it might not get the freed space back. */
export async function writeInPlace(path: string, text: string): Promise<void> {
  await using file = await open(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE);
  await file.writeFile(text);
  await file.truncate(Buffer.byteLength(text));
}
