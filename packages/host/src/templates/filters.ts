import { TemplateError } from './template-error.ts';
import { isTruthy, sizeOf, textOf, type Value } from './values.ts';

/**
 * A filter. Its cost must be in proportion to the sizes of its value, its parameter and its result. For a filter in
 * SEARCHING the cost is in proportion to the product of value and parameter.
 */
type Filter = (value: Value, parameter: Value) => Value;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const YESNO = ['yes', 'no', 'maybe'] as const;

/** The filters that templates can use, by name; all of them are pongo2's. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['addslashes', (value) => textOf(value).replace(/[\\"']/g, '\\$&')],
  ['capfirst', (value) => mapFirst(textOf(value))],
  ['cut', (value, parameter) => without(textOf(value), textOf(parameter))],
  ['default', (value, parameter) => (isTruthy(value) ? value : parameter)],
  ['default_if_none', (value, parameter) => value ?? parameter],
  ['escape', (value) => textOf(value).replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)],
  ['first', (value) => listOf(value)[0] ?? null],
  ['join', (value, parameter) => joined(value, textOf(parameter))],
  ['last', (value) => listOf(value).at(-1) ?? null],
  ['length', (value) => (typeof value === 'string' ? [...value].length : isSized(value) ? sizeOf(value) : 0)],
  ['lower', (value) => textOf(value).toLowerCase()],
  ['safe', (value) => value],
  ['split', (value, parameter) => textOf(value).split(textOf(parameter))],
  ['upper', (value) => textOf(value).toUpperCase()],
  ['yesno', (value, parameter) => yesno(value, parameter)],
]);

/** The filters that search their value for their parameter. */
export const SEARCHING: ReadonlySet<string> = new Set(['cut', 'split']);

const isSized = (value: Value) => typeof value === 'object' && value !== null;

const mapFirst = (text: string) => {
  const first = String.fromCodePoint(...(text === '' ? [] : [text.codePointAt(0) ?? 0]));
  return first.toUpperCase() + text.slice(first.length);
};

const without = (text: string, part: string) => (part === '' ? text : text.replaceAll(part, ''));

function listOf(value: Value): readonly Value[] {
  if (typeof value === 'string') return [...value];
  return Array.isArray(value) ? value : [];
}

const JOINED_MAX = 1_000_000;

/** The result can be the product of two sizes, so its size is checked before it is made. */
function joined(value: Value, separator: string): string {
  const texts = listOf(value).map(textOf);
  const size = texts.reduce((sum, text) => sum + text.length, 0) + separator.length * texts.length;
  if (size > JOINED_MAX) throw new TemplateError('a joined list is too long');
  return texts.join(separator);
}

function yesno(value: Value, parameter: Value): Value {
  const given = parameter === null ? YESNO : textOf(parameter).split(',');
  const [yes, no, maybe] = given;
  if (yes === undefined || no === undefined || given.length > YESNO.length) {
    throw new TemplateError('the filter "yesno" takes two or three words, separated by commas');
  }
  if (value === null) return maybe ?? YESNO[2];
  return isTruthy(value) ? yes : no;
}
