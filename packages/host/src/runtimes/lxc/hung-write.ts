import { arch } from 'node:process';
import { readText } from './cgroups.ts';

/** The number of write(2). */
const WRITE = arch === 'arm64' ? '64' : '1';

/** A process in write(2): the call with all arguments and the stack, and the descriptor it writes to. */
export interface WaitingWrite {
  readonly call: string;
  readonly fd: number;
}

/** The write(2) for which a process waits now; null when it does not wait in one, or is not known. proc(5). */
export function waitingWrite(pid: number): WaitingWrite | null {
  const call = readText(`/proc/${pid}/syscall`).trim();
  const [number, fd] = call.split(' ');
  return number === WRITE ? { call, fd: Number(fd) } : null;
}
