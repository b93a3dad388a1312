/**
 * A pure function from text that remembers its newest results, for one that costs far more than a look-up.
 * @param max results kept; the oldest goes
 */
export function remembering<T>(work: (text: string) => T, max: number): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const result = work(text);
    known.set(text, result);
    const oldest = known.keys().next();
    if (known.size > max && !oldest.done) known.delete(oldest.value);
    return result;
  };
}
