import { startLongTimer } from './long-timer.ts';

/**
 * Waits for work, for at most `ms`, which may be any length; a negative time is no limit.
 * @returns whether the work is done
 * @throws the error of the work, if it fails within the time
 */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = Promise.withResolvers<false>();
  const end = ms < 0 ? undefined : startLongTimer(ms, () => over.resolve(false));
  try {
    return await Promise.race([work.then(() => true), over.promise]);
  } finally {
    end?.();
  }
}
