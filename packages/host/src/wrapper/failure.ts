import { appendFileSync, writeSync } from 'node:fs';
import { type Clock, timestamp } from '../base/clock.ts';

const STDERR = 2;

/**
 * Writes why the container cannot be made, to standard error and to the log that the caller of the runtime reads.
 * @param log file for lines of JSON; undefined if the caller reads standard error only
 */
export function tellFailure(message: string, log: string | undefined, clock: Clock): void {
  const text = `porthole-runtime: ${message}`;
  writeSync(STDERR, `${text}\n`);
  if (log === undefined) return;
  try {
    const line = { level: 'error', msg: text, time: timestamp(clock) };
    appendFileSync(log, `${JSON.stringify(line)}\n`);
  } catch {
    // The message is on standard error already.
  }
}
