import type { ChildProcess } from 'node:child_process';

/**
 * A killed process ends at once, unless it waits in the kernel for a file system that does not answer. Nobody waits for
 * that one: it is left alone, and is gone when its file system answers, or is.
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
