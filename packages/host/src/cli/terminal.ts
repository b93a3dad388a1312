import { spawnSync } from 'node:child_process';
import type { ReadStream } from 'node:tty';

/**
 * Lets every key and every byte of output through as it is. Node's raw mode still turns line feeds into
 * carriage return and line feed, which the pty in the instance has done already where it should be.
 * @returns the function that gives the terminal back as it was
 */
export function makeRaw(input: ReadStream): () => void {
  input.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return () => input.setRawMode(false);
}
