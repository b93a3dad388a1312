/** Instances that are worked on in one turn of the main thread: some milliseconds. */
export const SLICE = 100;
/**
 * A slice also ends after this many characters of config, because instances and operators decide how long config is.
 */
export const SLICE_CHARACTERS = 1024 * 1024;

/** Pieces of a list, one after the other. */
export function* slicesOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += SLICE) yield all.slice(at, at + SLICE);
}

/** Lets all other work that waits for the thread have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Maps a list in slices that leave the thread free between them. */
export async function mapInSlices<T, R>(all: readonly T[], map: (each: T, index: number) => R): Promise<R[]> {
  const results: R[] = [];
  for (const slice of slicesOf(all)) {
    if (results.length > 0) await nextTurn();
    for (const each of slice) results.push(map(each, results.length));
  }
  return results;
}

/** The items of a list that pass, found in slices. */
export async function filterInSlices<T>(all: readonly T[], passes: (each: T) => boolean): Promise<T[]> {
  const verdicts = await mapInSlices(all, passes);
  return all.filter((_, index) => verdicts[index]);
}
