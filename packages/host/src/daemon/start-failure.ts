import { CodedError, messageOf } from '../base/coded-error.ts';
import type { DaemonConfig } from '../config/config.ts';
import { raiseOpenFiles } from '../native/rlimit.ts';

/** With fewer open files the daemon fails at random places: its threads alone need some dozens. */
const FILES_MIN = 256;

/**
 * Refuses to start on a host on which nothing could work.
 * @throws CodedError with a sentence that says what to do
 */
export function requireHost(): void {
  if (process.geteuid?.() !== 0) {
    throw new CodedError('not-root', 403, 'this must run as root: it makes namespaces, mounts and cgroups');
  }
  const { soft } = raiseOpenFiles(FILES_MIN);
  if (soft < FILES_MIN) {
    const advice = `raise it to ${FILES_MIN} at least, better to 18432 (LimitNOFILE, ulimit -n)`;
    throw new CodedError('too-few-files', 400, `the limit on open files is ${soft}: ${advice}`);
  }
}

/** Why the daemon does not start, in one line; the stack is added only at the log level debug. */
export function startFailure(error: unknown, { stateDir, settings }: DaemonConfig): CodedError {
  if (error instanceof CodedError) return error;
  const stack = settings['log-level'] === 'debug' && error instanceof Error ? `\n${error.stack}` : '';
  const message = `cannot start with the state directory ${stateDir}: ${messageOf(error)}${stack}`;
  return new CodedError('start-failed', 500, message, { cause: error });
}
