import type { ChildProcess } from 'node:child_process';

/**
 * A killed process ends at once, unless it waits in the kernel for a file system that does not answer. The daemon does
 * not wait for such a process. It ends when its file system answers or is gone.
 */
export const DEATH_MS = 1_000;

/** How much of what a program has said is shown to people. */
const LINES_SHOWN = 3;

/** The last lines of a program's standard error, in one. */
export function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-LINES_SHOWN).join('; ');
}

/** How a program has ended, for people. */
export function explainEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `ended by ${signal}` : `exit code ${code}`;
}

/** How a program has ended. */
export interface End {
  readonly ok: boolean;
  /** Exit code; null when a signal ended it or it could not be started. */
  readonly code: number | null;
  /** Why it is not ok, for people: the last lines of its standard error; empty when it is ok. */
  readonly failure: string;
}

/** What is kept of the end of a program's standard error. */
const STDERR_CHARS_MAX = 4096;

/** Settles when a child is gone and its output has been read, or when it could not be started; never rejects. */
export function endOf(child: ChildProcess, command: string): Promise<End> {
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-STDERR_CHARS_MAX);
  });
  return new Promise((resolve) => {
    let refused = '';
    child.on('error', ({ message }) => {
      refused ||= `${command}: ${message}`;
      if (child.pid === undefined) resolve({ ok: false, code: null, failure: refused });
    });
    child.once('close', (code, signal) => {
      const ok = code === 0;
      const why = refused || lastWords(errors) || `${command}: ${explainEnd(code, signal)}`;
      resolve({ ok, code, failure: ok ? '' : why });
    });
  });
}

/** Whether a child has been started and has not ended. */
export function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Lets go of a child, so that nothing of this process waits for it. @returns settles at its end */
export function abandon(child: ChildProcess): Promise<void> {
  const ended = isRunning(child)
    ? new Promise<void>((resolve) => child.once('exit', () => resolve()))
    : Promise.resolve();
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
  return ended;
}
