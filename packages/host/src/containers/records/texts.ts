import { isYamlMap } from '../../base/yaml-map.ts';
import { own } from '../../core/records.ts';

/** A text of a runtime's record; empty if it has none. */
export function textOf(record: unknown, key: string): string {
  const value = isYamlMap(record) ? own(record, key) : undefined;
  return typeof value === 'string' ? value : '';
}

/** An object in a runtime's record; empty if it has none. */
export function objectOf(record: unknown, key: string): Readonly<Record<string, unknown>> {
  const value = isYamlMap(record) ? own(record, key) : undefined;
  return isYamlMap(value) ? value : {};
}

/** The texts of a list. */
export function linesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
