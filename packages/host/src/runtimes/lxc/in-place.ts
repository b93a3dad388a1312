import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

const PRIVATE = 0o600;

/** Writes a file over what it holds: emptied first, it might not get its room back on a disk that is full. */
export async function writeInPlace(path: string, text: string): Promise<void> {
  await using file = await open(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE);
  await file.writeFile(text);
  await file.truncate(Buffer.byteLength(text));
}
