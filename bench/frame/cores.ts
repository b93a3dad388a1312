import { cpus } from 'node:os';
import { run } from '../../packages/host/src/process/run.ts';

const LAST = cpus().length - 1;

/** The core of the load programs, the core of the measured server, and all cores. */
const CORES = { load: '0', server: '1', all: `0-${LAST}` } as const;

export type Role = keyof typeof CORES;

/** A command bound to the cores of a role; unchanged on a machine with only one core. */
export function onCore(role: Role, command: readonly string[]): [string, ...string[]] {
  const bound = LAST > 0 ? ['taskset', '-c', CORES[role], ...command] : command;
  return bound as [string, ...string[]];
}

/** Binds all threads of a running process to the cores of a role. */
export async function bind(pid: number, role: Role): Promise<void> {
  if (LAST === 0) return;
  const { ok, failure } = await run('taskset', ['-a', '-c', '-p', CORES[role], String(pid)]);
  if (!ok) throw new Error(failure);
}
