import { TemplateError } from './template-error.ts';

/** A value in a template. null: what does not exist. */
export type Value = string | number | boolean | null | readonly Value[] | ValueMap;

/** A map from names to values, in the order of the names. */
export type ValueMap = ReadonlyMap<string, Value>;

/** A map of the entries of a record, sorted once here, because loops can go through it many times. */
export function mapOf(record: Readonly<Record<string, Value>>): ValueMap {
  return new Map(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}

const isMap = (value: Value): value is ValueMap => value instanceof Map;

/** Whether a value counts as true in a condition. */
export function isTruthy(value: Value): boolean {
  if (isMap(value)) return value.size > 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** The text that a value is written as. @throws TemplateError for a list or a map */
export function textOf(value: Value): string {
  if (value === null) return '';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'object') throw new TemplateError('a list or a map cannot be written as a text');
  return String(value);
}

/** How many characters or entries a value has: what work with it costs. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (isMap(value)) return value.size;
  return Array.isArray(value) ? value.length : 1;
}

/** The value of a name in a map; null if there is none. @throws TemplateError if it is not a map */
export function memberOf(value: Value, name: string): Value {
  if (value === null) return null;
  if (!isMap(value)) throw new TemplateError(`"${name}" of a text does not exist`);
  return value.get(name) ?? null;
}

/** Whether both are the same text, number or truth value. */
export function isEqual(one: Value, other: Value): boolean {
  return one === other;
}

/** Whether a text has a part, a list a value, or a map a name. */
export function isIn(part: Value, whole: Value): boolean {
  if (typeof whole === 'string') return whole.includes(textOf(part));
  if (isMap(whole)) return typeof part === 'string' && whole.has(part);
  return Array.isArray(whole) && whole.includes(part);
}

/** What a loop goes through: entries of a map, values of a list, or characters of a text. */
export function itemsOf(value: Value): readonly (readonly [Value, Value])[] {
  if (isMap(value)) return [...value];
  const list = typeof value === 'string' ? [...value] : Array.isArray(value) ? value : [];
  return list.map((item: Value) => [item, null] as const);
}
