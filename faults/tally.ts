/** What a walk has done and found. */
export interface Tally {
  /** Named steps that were reached. */
  steps: number;
  /** Faults that came. */
  faults: number;
  /** What was tried, and what did not agree after it. */
  readonly violations: string[];
}

/** Prints a line. */
export type Say = (line: string) => void;

/** Ends all walks after the try that goes on, so that they remove what they have made. */
export const interruption = new AbortController();

/** Adds what one try has found. @throws the reason of an interruption */
export function note(tally: Tally, where: string, found: readonly string[], say: Say): void {
  interruption.signal.throwIfAborted();
  for (const sentence of found) {
    tally.violations.push(`${where}: ${sentence}`);
    say(`VIOLATION ${where}: ${sentence}`);
  }
}

/** The tally of a walk that begins. */
export function newTally(): Tally {
  return { steps: 0, faults: 0, violations: [] };
}
