import { readFileSync } from 'node:fs';

/**
 * Start time of a process in clock ticks since boot: field 22 of /proc/PID/stat, proc(5). Together with the
 * pid it identifies one process until the host boots again. Null when there is no such process.
 */
export function startTimeOf(pid: number): string | null {
  return fieldsOf(pid)?.[19] ?? null;
}

/** Whether a process has not ended. One that has ended keeps its pid and its start time until its parent asks for it. */
export function isRunning(pid: number, startTime: string): boolean {
  const fields = fieldsOf(pid);
  return fields?.[19] === startTime && !ENDED.has(fields[0] ?? '');
}

/** The states of a process that has ended, proc_pid_stat(5). */
const ENDED: ReadonlySet<string> = new Set(['Z', 'X', 'x']);

/** The fields of /proc/PID/stat from the third one on, which is the state; null when there is no such process. */
function fieldsOf(pid: number): string[] | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the program's name in brackets, which the program chooses: the rest begins after its
  // last bracket.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Identifies this boot of the host; random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
