import { checkChanges, checkLooks, checkOverwriting } from './changes.ts';
import { checkEnds } from './ends.ts';
import { checkGuests } from './guests.ts';
import { FleetHistory } from './history.ts';
import type { RunRecord } from './record.ts';
import { checkTimes } from './times.ts';

export interface Checked {
  readonly violations: readonly string[];
  /** How many facts were looked at, by what they are. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Compares all that was noted with etcd's history. It shares no code with the daemon. */
export function checkFleet(record: RunRecord): Checked {
  const history = new FleetHistory(record.history);
  const times = checkTimes(record);
  return {
    violations: [
      ...checkChanges(record, history),
      ...checkOverwriting(record, history),
      ...checkLooks(record, history),
      ...checkGuests(record, history),
      ...checkEnds(record, history),
      ...times.found,
    ],
    counts: times.counts,
  };
}
