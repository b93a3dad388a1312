/** What is done to the daemon, and when. */
export interface Restart {
  /** Part of the time that has passed. */
  readonly at: number;
  readonly how: 'SIGHUP' | 'kill -9';
}

/**
 * All in the second fourth of the time. So the first fourth shows the memory of a daemon after five minutes of thirty,
 * and the second half the memory of another that nothing disturbs.
 */
export const RESTARTS: readonly Restart[] = [
  { at: 0.27, how: 'SIGHUP' },
  { at: 0.32, how: 'SIGHUP' },
  { at: 0.38, how: 'kill -9' },
  { at: 0.44, how: 'SIGHUP' },
  { at: 0.49, how: 'SIGHUP' },
];
