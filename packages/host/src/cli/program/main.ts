import { join } from 'node:path';
import type { Io } from '../io.ts';
import { makeRaw } from '../terminal.ts';
import { run } from './program.ts';

/** Exit code of a program whose reader went away: 128 + SIGPIPE. */
const BROKEN_PIPE = 141;

/** When the reader is gone, the process ends at once and without a message: no output can be lost. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
  throw error;
}

process.stdout.on('error', leaveQuietly);
process.stderr.on('error', leaveQuietly);

const io: Io = {
  // A getter: opening standard input early would keep the process alive when it is a terminal.
  get stdin() {
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

process.exitCode = await run(process.argv.slice(2), io, builders);
