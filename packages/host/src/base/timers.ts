/** What a timer can wait, about 25 days: one that is told to wait for longer is over at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;
