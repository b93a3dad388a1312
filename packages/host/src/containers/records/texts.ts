import { isYamlMap } from '../../base/yaml-map.ts';
import { own } from '../../core/records.ts';

/** A text in a runtime's record; empty if the record has no text under this key. */
export function textOf(record: unknown, key: string): string {
  const value = isYamlMap(record) ? own(record, key) : undefined;
  return typeof value === 'string' ? value : '';
}

/** An object in a runtime's record; empty if the record has no object under this key. */
export function objectOf(record: unknown, key: string): Readonly<Record<string, unknown>> {
  const value = isYamlMap(record) ? own(record, key) : undefined;
  return isYamlMap(value) ? value : {};
}

/** The texts in a list; empty if it is not a list. */
export function linesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
