import { availableParallelism } from 'node:os';
import { run } from '../../packages/host/src/process/run.ts';

/** The core of the server that is measured, and the core of whoever asks it; null where there is only one. */
export const CORES = availableParallelism() > 1 ? ({ load: 0, server: 1 } as const) : null;

/** A command, bound to a core; as it is on a machine with one. */
export function onCore(role: 'load' | 'server', command: readonly string[]): [string, ...string[]] {
  const bound = CORES ? ['taskset', '-c', String(CORES[role]), ...command] : command;
  return bound as [string, ...string[]];
}

/** Binds all threads of a running process to the server's core, or frees them for all cores. */
export async function bind(pid: number, to: 'server' | 'all'): Promise<void> {
  if (!CORES) return;
  const cores = to === 'server' ? String(CORES.server) : `0-${availableParallelism() - 1}`;
  const { ok, failure } = await run('taskset', ['-a', '-c', '-p', cores, String(pid)]);
  if (!ok) throw new Error(failure);
}
