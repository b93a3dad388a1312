import { readText } from './cgroups.ts';
import { statusField } from './processes.ts';

/** The number of write(2). */
const WRITE = process.arch === 'arm64' ? '64' : '1';

/** A process in write(2), and the descriptor it writes to. */
export interface WaitingWrite {
  /** The same for as long as the process has not run: a write of which the other end takes nothing. */
  readonly wait: string;
  readonly fd: number;
}

/** The write(2) for which a process waits now; null when it does not wait in one, or is not known. proc(5). */
export function waitingWrite(pid: number): WaitingWrite | null {
  const call = readText(`/proc/${pid}/syscall`).trim();
  const switches = statusField(pid, 'voluntary_ctxt_switches');
  const [number, fd] = call.split(' ');
  return number === WRITE ? { wait: `${call} ${switches}`, fd: Number(fd) } : null;
}
