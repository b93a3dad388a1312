import { appendFileSync, writeSync } from 'node:fs';
import { type Clock, timestamp } from '../base/clock.ts';

const STDERR = 2;

/**
 * Says why the container cannot be made, where the caller of the runtime looks for it.
 * @param log the runtime's log, as JSON lines
 */
export function tellFailure(message: string, log: string | undefined, clock: Clock): void {
  const text = `porthole-runtime: ${message}`;
  writeSync(STDERR, `${text}\n`);
  if (log === undefined) return;
  try {
    const line = { level: 'error', msg: text, time: timestamp(clock) };
    appendFileSync(log, `${JSON.stringify(line)}\n`);
  } catch {
    // Then standard error has to do.
  }
}
