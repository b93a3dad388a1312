import { readFileSync } from 'node:fs';

const SIGPWR = 30;
/** SIGRTMIN of glibc, plus 3: what systemd takes for "power off", systemd(1). */
const SIGRTMIN_3 = 37;

/** The signal that asks an init to shut down. systemd blocks the one it waits for, which tells it from others. */
export function haltSignal(pid: number): number {
  const blocked = BigInt(`0x${statusField(pid, 'SigBlk') ?? '0'}`);
  return (blocked >> BigInt(SIGRTMIN_3 - 1)) & 1n ? SIGRTMIN_3 : SIGPWR;
}

/** The process that watches a container for LXC: the parent of its init. Null when the init is gone. */
export function monitorPid(pid: number): number | null {
  const parent = statusField(pid, 'PPid');
  return parent === null ? null : Number(parent);
}

function statusField(pid: number, field: string): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return status.match(new RegExp(`^${field}:\\s*(\\S+)`, 'm'))?.[1] ?? null;
  } catch {
    return null;
  }
}
