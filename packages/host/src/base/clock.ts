/** Time, handed in so that tests can own it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** "Never" as LXD's API spells it for an instance that has not been started. */
export const NEVER = '1970-01-01T00:00:00Z';

/** A timestamp as every API of ours shows it: RFC 3339 in UTC. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString();
}
