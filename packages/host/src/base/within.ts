import { startLongTimer } from './long-timer.ts';

/**
 * Waits for work, but not for longer than a time of any length; negative: without limit.
 * @returns whether the work is over. @throws what the work throws meanwhile
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
