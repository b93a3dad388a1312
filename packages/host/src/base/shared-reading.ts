/**
 * Makes a function that reads something by `read`, at most once at a time. Calls that come while it is read share the
 * next reading: the one under way may have begun before what they have to see.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const begin = () => {
    next = null;
    current = read();
    return current;
  };
  return () => {
    if (next) return next;
    if (!current) return settling(begin());
    next = settling(current.then(begin, begin));
    return next;
  };

  /** When nobody has asked meanwhile, the next call reads at once. */
  function settling(reading: Promise<T>): Promise<T> {
    const over = () => {
      if (!next) current = null;
    };
    reading.then(over, over);
    return reading;
  }
}
