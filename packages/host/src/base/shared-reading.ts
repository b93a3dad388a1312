/**
 * Makes a function that calls `read`, one call at a time. Calls that come during a reading share the next one: the
 * current reading may have begun before the change that they have to see.
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

  /** If no call has come meanwhile, the next call reads at once. */
  function settling(reading: Promise<T>): Promise<T> {
    const over = () => {
      if (!next) current = null;
    };
    reading.then(over, over);
    return reading;
  }
}
