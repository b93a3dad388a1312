import { parse } from 'yaml';
import { isYamlMap } from './yaml-map.ts';

/**
 * Parses YAML so that each scalar is the text as written: `1.50`, `0x10` and `yes` stay what they are. Only null
 * (`~`, `null`, nothing) is null. LXD's client reads the values of config keys like this.
 * @throws YAMLParseError with line and column
 */
export function parseYamlTexts(text: string): unknown {
  return asTexts(
    parse(text, {
      schema: 'failsafe',
      customTags: (tags) => [...tags, 'null', 'merge', 'binary'],
      merge: true,
      logLevel: 'error',
    }),
  );
}

/** Turns the bytes of `!!binary` into text. Entries, not assignment: the key `__proto__` is a key like any other. */
function asTexts(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(asTexts);
  if (!isYamlMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asTexts(each)]));
}
