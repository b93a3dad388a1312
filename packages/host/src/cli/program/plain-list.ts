import type { ListOptions } from '../instance-list.ts';
import type { GlobalOptions } from '../session.ts';
import { FORMATS, type Format } from '../tables.ts';

/** A `porthole list` that can be run. */
export interface PlainList {
  readonly filters: readonly string[];
  readonly options: ListOptions & GlobalOptions;
}

type Options = Readonly<Record<string, string>>;

/** Options of every command, with a value and without: flag and key. */
const GLOBAL_VALUES: Options = { '--state-dir': 'stateDir' };
const GLOBAL_FLAGS: Options = { '-q': 'quiet', '--quiet': 'quiet' };
/** Those that may also follow `list`. */
const VALUES: Options = {
  ...GLOBAL_VALUES,
  '-c': 'columns',
  '--columns': 'columns',
  '-f': 'format',
  '--format': 'format',
};
const FLAGS: Options = { ...GLOBAL_FLAGS, '--fast': 'fast' };

/**
 * Reads the words of `porthole list`, which scripts run often. The library for commands gives the same, but takes a
 * tenth of the whole command's time.
 * @returns undefined for words that are not plain: other commands and options, other forms of an option, mistakes
 */
export function plainList(words: readonly string[]): PlainList | undefined {
  const options: Record<string, string | true> = {};
  const names: string[] = [];
  const rest = words.values();
  for (const word of rest) {
    const [values, flags] = names.length > 0 ? [VALUES, FLAGS] : [GLOBAL_VALUES, GLOBAL_FLAGS];
    const key = keyOf(values, word);
    if (key !== undefined) {
      const value = rest.next().value;
      if (value === undefined || value.startsWith('-')) return undefined;
      if (key === 'format' && !FORMATS.includes(value as Format)) return undefined;
      options[key] = value;
    } else if (word.startsWith('-')) {
      const flag = keyOf(flags, word);
      if (flag === undefined) return undefined;
      options[flag] = true;
    } else names.push(word);
  }
  const [command, ...filters] = names;
  const { format = 'table' } = options;
  if (command !== 'list' && command !== 'ls') return undefined;
  return { filters, options: { ...options, format: format as Format } };
}

function keyOf(options: Options, word: string): string | undefined {
  return Object.hasOwn(options, word) ? options[word] : undefined;
}
