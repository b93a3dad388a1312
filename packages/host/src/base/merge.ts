/** A copy of a map with changes applied: null removes a key, any other value replaces the key's value. */
export function merge<T>(
  base: Readonly<Record<string, T>>,
  changes: Readonly<Record<string, T | null>> = {},
): Record<string, T> {
  // By entries, not by assignment: the key `__proto__` is a key like any other.
  const all = Object.entries({ ...base, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, T] => entry[1] !== null));
}
