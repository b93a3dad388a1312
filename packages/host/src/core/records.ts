/**
 * Records whose keys come from clients. They have no prototype: a key such as `constructor` is absent until
 * it is set, and `__proto__` can be set like any other key.
 */
export type OwnRecord<T> = Record<string, T>;

/** A record of the given entries; the last of equal keys wins. */
export function recordOf<T>(entries: Iterable<readonly [string, T]>): OwnRecord<T> {
  const record: OwnRecord<T> = Object.create(null);
  for (const [key, value] of entries) record[key] = value;
  return record;
}

/** A mutable copy. */
export function copyOf<T>(record: Readonly<Record<string, T>>): OwnRecord<T> {
  return recordOf(Object.entries(record));
}

/** A copy with its keys in sorted order. */
export function sortedCopy<T>(record: Readonly<Record<string, T>>): OwnRecord<T> {
  return recordOf(sortedKeys(record).map((key) => [key, record[key] as T]));
}

/** The record's own keys, sorted by code unit. */
export function sortedKeys(record: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(record).sort();
}

/** The value of an own key; undefined for a key that only the prototype has. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Whether both have the same keys with the same values, in any order. */
export function sameRecord(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => own(other, key) === one[key]);
}
