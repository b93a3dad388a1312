import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from './wait.ts';

const LOOK_MS = 100;
/** In ticks of the kernel, a hundred per second: the most that a waiting process uses in `LOOK_MS`. */
const TICKS_AT_REST = 1;

/** Waits until a process has no work left, so that earlier requests do not affect the next measurement. */
export function untilAtRest(pid: number): Promise<void> {
  return until(`process ${pid} is at rest`, () => isAtRest(pid));
}

/** Whether a process uses almost no processor time for `LOOK_MS`. */
export async function isAtRest(pid: number): Promise<boolean> {
  const before = ticksOf(pid);
  await wait(LOOK_MS);
  return ticksOf(pid) - before <= TICKS_AT_REST;
}

/**
 * Processor time of all threads so far, in ticks: utime and stime of /proc/PID/stat (proc(5)). The fields
 * follow the process's name in brackets.
 */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
