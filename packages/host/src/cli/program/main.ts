import { fstatSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from '../io.ts';
import { LocalError } from '../local-errors.ts';
import { makeRaw } from '../terminal.ts';
import { run } from './program.ts';

const STDIN = 0;

function isDirectory(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    return false;
  }
}

/** Exit code of a program whose reader went away: 128 + SIGPIPE. */
const BROKEN_PIPE = 141;

/**
 * When the reader is gone, the process ends at once and without a message: no output can be lost. Any other
 * failure, such as that of a full disk, is told.
 */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
  const text = `${new LocalError(error, 'the output').message}\n`;
  try {
    writeSync(process.stderr.fd, `Error: ${text}`);
  } catch {
    // Standard error is closed too.
  }
  process.exit(1);
}

process.stdout.on('error', leaveQuietly);
process.stderr.on('error', leaveQuietly);

const io: Io = {
  // A getter: opening standard input early would keep the process alive when it is a terminal.
  get stdin() {
    // Node takes a directory for empty input.
    if (isDirectory(STDIN)) throw new Error('Standard input is a directory');
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  makeRaw: () => makeRaw(process.stdin),
  onSignal(name, listener) {
    process.on(name, listener);
    return () => process.off(name, listener);
  },
};
const builders = {
  async busybox(folder: string, onProgress: (percent: number, what: string) => void): Promise<string> {
    const { buildBusybox } = await import('../../build/busybox.ts');
    const path = join(folder, 'busybox.tar.gz');
    await buildBusybox({ path, onProgress });
    return path;
  },
};

void run(process.argv.slice(2), io, builders).then((code) => {
  process.exitCode = code;
  // Ends at once, without taking Node apart first, unless a reader has yet to take some of the output.
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
});
