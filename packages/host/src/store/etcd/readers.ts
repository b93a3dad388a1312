import { recordOf } from '../../core/records.ts';

/** Why a value of etcd is not a record. */
export class Unreadable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unreadable';
  }
}

/** Reads one value of a record. @throws Unreadable */
export type Reader<T> = (value: unknown, where: string) => T;

function fail(where: string, what: string): never {
  throw new Unreadable(`${where || 'it'} is not ${what}`);
}

function mapOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(where, 'an object');
  return value as Record<string, unknown>;
}

export const text: Reader<string> = (value, where) =>
  typeof value === 'string' ? value : fail(where, 'a text');

export const flag: Reader<boolean> = (value, where) =>
  typeof value === 'boolean' ? value : fail(where, 'true or false');

/** A whole number from 0. */
export const count: Reader<number> = (value, where) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail(where, 'a whole number');

/** One of some texts. */
export function oneOf<T extends string>(...texts: readonly T[]): Reader<T> {
  return (value, where) =>
    texts.includes(value as T) ? (value as T) : fail(where, `one of ${texts.join(', ')}`);
}

/** A list of such values. */
export function listOf<T>(each: Reader<T>): Reader<readonly T[]> {
  return (value, where) =>
    Array.isArray(value) ? value.map((one, index) => each(one, `${where}[${index}]`)) : fail(where, 'a list');
}

/** A map with keys of any name and such values. */
export function mapTo<T>(each: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, where) =>
    recordOf(Object.entries(mapOf(value, where)).map(([key, one]) => [key, each(one, `${where}.${key}`)]));
}

/** Such a value, or null. */
export function orNull<T>(each: Reader<T>): Reader<T | null> {
  return (value, where) => (value === null ? null : each(value, where));
}

/** An object with these fields. Others are left out. */
export function fieldsOf<T extends object>(fields: { readonly [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value, where) => {
    const map = mapOf(value, where);
    const read = Object.entries(fields).map(([name, reader]) => [
      name,
      (reader as Reader<unknown>)(
        Object.hasOwn(map, name) ? map[name] : undefined,
        where ? `${where}.${name}` : name,
      ),
    ]);
    return Object.fromEntries(read) as T;
  };
}
