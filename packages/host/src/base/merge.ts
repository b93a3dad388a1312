/** A map with changes merged into it: null removes a key, anything else replaces its value. */
export function merge<T>(
  base: Readonly<Record<string, T>>,
  changes: Readonly<Record<string, T | null>> = {},
): Record<string, T> {
  // Entry by entry: a key that is named like the prototype is one like others.
  const all = Object.entries({ ...base, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, T] => entry[1] !== null));
}
