/** The time; passed in, so that tests can control it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** How LXD's API writes "never" for an instance that has not been started. */
export const NEVER = '1970-01-01T00:00:00Z';

/** The current time as all of Porthole's APIs show it: RFC 3339 in UTC. */
export function timestamp(clock: Clock): string {
  return clock.now().toISOString();
}
