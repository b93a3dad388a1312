/** The longest timer of Node; a longer one fires at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Calls back after a time of any length: operators may ask for more than Node's timers can do.
 * @returns a function that cancels the timer
 */
export function startLongTimer(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    const part = Math.min(left, TIMER_MS_MAX);
    timer = setTimeout(() => (left > part ? wait(left - part) : callback()), part);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Resolves after a time of any length, or when the signal is aborted. */
export function longSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = startLongTimer(ms, resolve);
    signal.addEventListener('abort', () => {
      end();
      resolve();
    });
  });
}
