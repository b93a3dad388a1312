import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { explainEnd, lastWords } from './ending.ts';

/** How a filter ended. */
export interface FilterEnd {
  readonly ok: boolean;
  /** Exit code; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  /** Why it is not ok, for people: the last lines of its standard error; empty when it is ok. */
  readonly failure: string;
}

/** A running command that reads a stream and writes a stream. */
export interface Filter {
  /** Its standard input; an early end of the command is no error here: read `ended`. */
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when it is gone and its output has been read; never rejects. */
  readonly ended: Promise<FilterEnd>;
  /** Ends it at once (SIGKILL); harmless when it is gone. */
  kill(): void;
}

export interface FilterOptions {
  /** Killed when this aborts. */
  readonly signal?: AbortSignal;
  /** A file that it gets as its standard input instead of `input`. */
  readonly stdin?: number;
}

/** What is kept of the end of a command's standard error. */
const STDERR_CHARS_MAX = 4096;

/**
 * Starts a command without a shell, its messages in the C locale. Its output must be read (or the command
 * killed) for `ended` to settle.
 */
export function filter(command: string, args: readonly string[], options: FilterOptions = {}): Filter {
  const child = spawn(command, args, {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: [options.stdin ?? 'pipe', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    ...(options.signal ? { signal: options.signal } : {}),
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-STDERR_CHARS_MAX);
  });
  let refused = '';
  child.on('error', (error) => {
    refused = `${command}: ${error.message}`;
  });
  if (!child.stdout) throw new Error(`${command}: cannot be started: too many open files`);
  const ended = new Promise<FilterEnd>((resolve) => {
    child.on('close', (code, signal) => {
      const why = refused || lastWords(errors) || `${command}: ${explainEnd(code, signal)}`;
      resolve({ ok: code === 0, code, failure: code === 0 ? '' : why });
    });
  });
  child.stdin?.on('error', () => {});
  child.stdout.on('error', () => {});
  return {
    input: child.stdin as Writable,
    output: child.stdout,
    ended,
    kill: () => void child.kill('SIGKILL'),
  };
}
