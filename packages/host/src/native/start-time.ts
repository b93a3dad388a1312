import { readFileSync } from 'node:fs';

/**
 * Start time of a process in clock ticks since boot: field 22 of /proc/PID/stat, proc(5). Together with the
 * pid it identifies one process until the host boots again. Null when there is no such process.
 */
export function startTimeOf(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the program's name in brackets, which the program chooses: the rest begins after its
  // last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[19] ?? null;
}

/** Identifies this boot of the host; random(4). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
