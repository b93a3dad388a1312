import { readText } from '../kernel/cgroup-files.ts';
import { statusField } from './processes.ts';

/** The number of write(2). */
const WRITE = process.arch === 'arm64' ? '64' : '1';

/** A process in write(2), and the descriptor it writes to. */
export interface WaitingWrite {
  /** The same value as long as the process has not run, so while the other end takes nothing of the write. */
  readonly wait: string;
  readonly fd: number;
}

/** The write(2) in which a process waits now; null if it does not wait in one, or if that is not known. proc(5). */
export function waitingWrite(pid: number): WaitingWrite | null {
  const call = readText(`/proc/${pid}/syscall`).trim();
  const switches = statusField(pid, 'voluntary_ctxt_switches');
  const [number, fd] = call.split(' ');
  return number === WRITE ? { wait: `${call} ${switches}`, fd: Number(fd) } : null;
}
