import { closeSync, constants, ftruncateSync, openSync, writeFileSync } from 'node:fs';

const PRIVATE = 0o600;

/** Writes a file over what it holds: emptied first, it might not get its room back on a disk that is full. */
export function writeInPlace(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, PRIVATE);
  try {
    writeFileSync(file, text);
    ftruncateSync(file, Buffer.byteLength(text));
  } finally {
    closeSync(file);
  }
}
