import { replaced } from './mutate.ts';
import type { Case } from './target.ts';

/** Limit on tries for one finding: the case need not be the smallest possible. */
const TRIES_MAX = 300;
const TIME_MAX_MS = 20_000;

/**
 * Makes a case smaller as long as it still shows its finding.
 * @param stillShows whether a part of the case shows the finding; may be called with any part
 */
export async function minimise(sample: Case, stillShows: (smaller: Case) => Promise<boolean>): Promise<Case> {
  const deadline = performance.now() + TIME_MAX_MS;
  let tries = 0;
  const shows = async (smaller: Case) =>
    ++tries <= TRIES_MAX && performance.now() < deadline && (await stillShows(smaller));
  let best = sample;
  const uncut = { ...best, cuts: [] };
  if (best.cuts.length > 0 && (await shows(uncut))) best = uncut;
  for (let size = largestPiece(best); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.bytes.length; ) {
      const smaller = without(best, at, size);
      if (await shows(smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}

function largestPiece({ bytes }: Case): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, bytes.length / 2)));
}

function without({ bytes, cuts }: Case, at: number, count: number): Case {
  const moved = cuts.map((cut) => (cut <= at ? cut : Math.max(at, cut - count)));
  return { bytes: replaced(bytes, at, count, Buffer.alloc(0)), cuts: [...new Set(moved)] };
}
