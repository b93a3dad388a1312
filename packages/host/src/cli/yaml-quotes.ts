import { isUnsafe } from '../base/printable.ts';

/** The mark of byte order and codes that are no characters: YAML has them as escapes only. */
export const NOT_IN_YAML = /[\ufeff\ufffe\uffff]/g;

/**
 * Texts that YAML 1.1 reads as something else: a boolean, a number with a base or sixties, a date, a key to merge;
 * or that some program cannot read: a tab in one line, blanks before the first of several lines. Go's and Python's
 * libraries know YAML 1.1 only.
 */
const READ_OTHERWISE = new RegExp(
  [
    '^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$',
    '^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-f_]+)$',
    '^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\\.[0-9_]*)?(?:e[-+]?[0-9]+)?$',
    '^[-+]?\\.(?:[0-9][0-9_]*(?:e[-+]?[0-9]+)?|inf|nan)$',
    '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\\s].*)?$',
    '^[^\\n]*\\t[^\\n]*$',
    '^\\s',
  ].join('|'),
  'i',
);

/** Whether a text has to be in double quotes, so that all programs read the same from YAML. */
export function needsQuotes(text: string): boolean {
  return isUnsafe(text) || text.search(NOT_IN_YAML) !== -1 || READ_OTHERWISE.test(text);
}
