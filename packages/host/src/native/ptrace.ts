import { checked, declare } from './libc.ts';
import { WNOHANG, waitpid } from './waitpid.ts';

const ptrace = declare('long ptrace(int request, int pid, ulong address, ulong data)');

const PTRACE_CONT = 7;
const PTRACE_DETACH = 17;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_LISTEN = 0x4208;
const PTRACE_O_TRACECLONE = 1 << 3;
const PTRACE_O_TRACEEXEC = 1 << 4;

const WALL = 0x4000_0000;

/** Reasons for the stop of a traced thread, besides a signal; ptrace(2). */
export const EVENT_EXEC = 4;
export const EVENT_STOP = 128;

/** An event of a traced thread. */
export type Traced =
  | { readonly kind: 'ended'; readonly tid: number }
  /** @param event 0 when the signal is about to be delivered */
  | { readonly kind: 'stopped'; readonly tid: number; readonly signal: number; readonly event: number };

/**
 * Traces a thread, and those that it creates later, without stopping it. All calls for a traced thread must
 * come from the thread that traces it. @throws EPERM, ESRCH
 */
export function seize(tid: number): void {
  checked('ptrace(SEIZE)', ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC));
}

/** Continues a stopped thread. @param signal delivered to it; 0 for none */
export function proceed(tid: number, signal: number): void {
  ptrace(PTRACE_CONT, tid, 0, signal);
}

/** Leaves a thread stopped, as job control requires, until it is continued. */
export function listen(tid: number): void {
  ptrace(PTRACE_LISTEN, tid, 0, 0);
}

/** Makes a thread stop soon. False when it is gone. */
export function interrupt(tid: number): boolean {
  return Number(ptrace(PTRACE_INTERRUPT, tid, 0, 0)) === 0;
}

/** Stops tracing a thread, which must be stopped. */
export function detach(tid: number, signal: number): void {
  ptrace(PTRACE_DETACH, tid, 0, signal);
}

const status = Buffer.alloc(4);

/** The next event of a traced thread; null when there is none. */
export function nextTraced(): Traced | null {
  const tid = Number(waitpid(-1, status, WNOHANG | WALL));
  if (tid <= 0) return null;
  const value = status.readInt32LE(0);
  // WIFSTOPPED
  if ((value & 0xff) !== 0x7f) return { kind: 'ended', tid };
  return { kind: 'stopped', tid, signal: (value >> 8) & 0xff, event: value >> 16 };
}
