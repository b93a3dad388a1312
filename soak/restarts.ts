import type { Moment } from './checks.ts';

/** What is done to the daemon, and when. */
export interface Step {
  /** Part of the time that has passed. */
  readonly at: number;
  /** A restart, or a look at the memory after the garbage has been collected. */
  readonly what: Restart | Moment;
}

export type Restart = 'SIGHUP' | 'kill -9';

/** Part of the time after which a daemon's memory is compared: five minutes of thirty. */
export const WARM = 1 / 6;
const LAST_RESTART = 0.49;

/**
 * All restarts are in the second fourth of the time. So the first fourth shows the memory of a daemon after five
 * minutes of thirty, and the second half the memory of another that nothing disturbs.
 */
export const STEPS: readonly Step[] = [
  { at: WARM, what: 'warm' },
  { at: 0.27, what: 'SIGHUP' },
  { at: 0.32, what: 'SIGHUP' },
  { at: 0.38, what: 'kill -9' },
  { at: 0.44, what: 'SIGHUP' },
  { at: LAST_RESTART, what: 'SIGHUP' },
  { at: LAST_RESTART + WARM, what: 'warmAgain' },
  { at: 1, what: 'end' },
];

/** Whether a step restarts the daemon. */
export function isRestart(what: Step['what']): what is Restart {
  return what === 'SIGHUP' || what === 'kill -9';
}
