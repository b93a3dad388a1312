/**
 * Measures all subjects once a round, so that other work on the machine affects all of them alike.
 * Each round begins with another subject. A round before the first warms everything up and is not counted.
 */
export async function interleave<T>(
  subjects: readonly T[],
  rounds: number,
  measure: (subject: T, round: number) => Promise<void>,
  warmUp?: (subject: T) => Promise<void>,
): Promise<void> {
  if (warmUp) for (const subject of subjects) await warmUp(subject);
  for (let round = 0; round < rounds; round++) {
    for (const subject of rotated(subjects, round)) await measure(subject, round);
  }
}

/** The same items, starting `by` places further on and wrapping around. */
export function rotated<T>(all: readonly T[], by: number): T[] {
  if (all.length === 0) return [];
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}
