import { spawnSync } from 'node:child_process';
import type { ReadStream } from 'node:tty';

/**
 * Passes every key and every byte of output on unchanged. Node's raw mode still turns line feeds into
 * carriage return and line feed, although the pty in the instance has already done so where needed.
 * @returns a function that restores the terminal
 */
export function makeRaw(input: ReadStream): () => void {
  input.setRawMode(true);
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  return () => input.setRawMode(false);
}
