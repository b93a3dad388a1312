import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Init } from '../contract/runtime.ts';

const SIGKILL = 9;
const SIGPWR = 30;
/** SIGRTMIN of glibc, plus 3: systemd takes it for "power off", systemd(1). */
const SIGRTMIN_3 = 37;

/** How often, and how far apart, it is checked whether a newly started init listens. */
const LISTEN_TRIES = 500;
const LISTEN_TRY_MS = 10;

/**
 * Asks an init to shut down, once it listens: the kernel drops a signal to the first process of a PID
 * namespace if the process neither handles nor blocks it yet. An init that never listens is not asked.
 * @param named the signal that the operator has chosen; null: the one that this init takes
 */
export async function askToHalt(init: Init, named: number | null): Promise<void> {
  for (let tries = 0; tries < LISTEN_TRIES && init.isAlive(); tries++) {
    const signal = named === null ? haltSignal(init.pid) : listening(init.pid, named);
    if (signal !== null) return init.signal(signal);
    await sleep(LISTEN_TRY_MS);
  }
}

/**
 * The signal that tells an init to shut down; null when it does not listen yet. systemd blocks the signal
 * that it waits for, which distinguishes it from other inits.
 */
function haltSignal(pid: number): number | null {
  if (has(statusField(pid, 'SigBlk'), SIGRTMIN_3)) return SIGRTMIN_3;
  return listening(pid, SIGPWR);
}

/** The signal itself if a process handles or blocks it, else null. Nobody can handle SIGKILL: it always arrives. */
function listening(pid: number, signal: number): number | null {
  if (signal === SIGKILL) return signal;
  const listens = has(statusField(pid, 'SigCgt'), signal) || has(statusField(pid, 'SigBlk'), signal);
  return listens ? signal : null;
}

/** Whether a signal is in a set as /proc writes it, proc(5). */
function has(set: string | null, signal: number): boolean {
  return ((BigInt(`0x${set ?? '0'}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** The pid of a container's monitor in LXC, the parent of its init. Null when the init is gone. */
export function monitorPid(pid: number): number | null {
  const parent = statusField(pid, 'PPid');
  return parent === null ? null : Number(parent);
}

/** A field of /proc/PID/status; null when the process is gone. */
export function statusField(pid: number, field: string): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return status.match(new RegExp(`^${field}:\\s*(\\S+)`, 'm'))?.[1] ?? null;
  } catch {
    return null;
  }
}
