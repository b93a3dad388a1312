/**
 * Wraps a pure function of a text so that its newest results are remembered. Worth it if a call costs far
 * more than a look-up.
 * @param max how many results are kept; then the oldest is dropped
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
