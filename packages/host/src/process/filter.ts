import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type End, endOf } from './ending.ts';

/** A running command that reads a stream and writes a stream. */
export interface Filter {
  /** Its standard input; an early end of the command is no error here: read `ended`. */
  readonly input: Writable;
  readonly output: Readable;
  /** Settles when it is gone and its output has been read; never rejects. */
  readonly ended: Promise<End>;
  /** Ends it at once (SIGKILL); harmless when it is gone. */
  kill(): void;
}

export interface FilterOptions {
  /** Killed when this aborts. */
  readonly signal?: AbortSignal;
  /** A file that it gets as its standard input instead of `input`. */
  readonly stdin?: number;
}

/**
 * Starts a command without a shell, its messages in the C locale. Its output must be read (or the command
 * killed) for `ended` to settle.
 */
export function filter(command: string, args: readonly string[], options: FilterOptions = {}): Filter {
  const child = spawn(command, args, {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: [options.stdin ?? 'pipe', 'pipe', 'pipe'],
    // In a group of its own, which is killed as a whole.
    detached: true,
  });
  const ended = endOf(child, command);
  const kill = () => killGroup(child.pid);
  const { signal } = options;
  signal?.addEventListener('abort', kill);
  if (signal?.aborted) kill();
  void ended.then(() => signal?.removeEventListener('abort', kill));
  if (!child.stdout) throw new Error(`${command}: cannot be started: too many open files`);
  child.stdin?.on('error', () => {});
  child.stdout.on('error', () => {});
  return {
    input: child.stdin as Writable,
    output: child.stdout,
    ended,
    kill,
  };
}

/**
 * A program such as unshare begins with a helper of its own. If the program alone were killed, the helper would wait for
 * it, and keep its output open for ever.
 */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
