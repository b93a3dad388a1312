import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from './wait.ts';

const LOOK_MS = 100;
/** Of the kernel's ticks, of which there are a hundred in a second: what a waiting process needs by itself. */
const TICKS_AT_REST = 1;

/** Waits until a process has no work: what it was asked for before does not count into what is measured next. */
export function untilAtRest(pid: number): Promise<void> {
  return until(`process ${pid} is at rest`, () => isAtRest(pid));
}

/** Whether a process has no work for a moment. */
export async function isAtRest(pid: number): Promise<boolean> {
  const before = ticksOf(pid);
  await wait(LOOK_MS);
  return ticksOf(pid) - before <= TICKS_AT_REST;
}

/** Processor time of all its threads so far: utime and stime of /proc/PID/stat (proc(5)), behind its bracketed name. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
