import { InvalidArgumentError } from 'commander';
import { ID_MAX } from '../base/linux-ids.ts';
import type { DeviceMap, StringMap } from '../client/types.ts';
import { own } from '../core/records.ts';
import type { Input } from './io.ts';
import { readAll } from './io.ts';
import { UsageError } from './usage-error.ts';

/** Splits `key=value` at its first equals sign. */
export function parsePair(text: string): [key: string, value: string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`Invalid key=value: "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Collects `key=value` options given several times. */
export function collectPair(text: string, before: StringMap = {}): StringMap {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It must be key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Collects an option given several times; commas separate too. */
export function collectNames(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((name) => name !== '')];
}

/** Collects `device,key=value[,key=value]` options by device. */
export function collectDevice(text: string, before: DeviceMap = {}): DeviceMap {
  const [name = '', ...pairs] = text.split(',');
  if (name === '' || name.includes('=') || pairs.length === 0) {
    throw new InvalidArgumentError('It must be device,key=value.');
  }
  const options = pairs.reduce<StringMap>((all, pair) => collectPair(pair, all), own(before, name) ?? {});
  return { ...before, [name]: options };
}

/** A whole number, for options. */
export function parseWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** A user or group id of Linux. */
export function parseId(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > ID_MAX)
    throw new InvalidArgumentError(`It must be a whole number up to ${ID_MAX}.`);
  return Number(text);
}

/** Permission bits as `chmod` takes them, in octal. */
export function parseMode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError('It must be an octal number, such as 0644.');
  return Number.parseInt(text, 8);
}

/** Seconds; -1 for no limit. */
export function parseTimeout(text: string): number {
  return text === '-1' ? -1 : parseWhole(text);
}

/**
 * The values to set, as `key=value...` or as the one pair `key value`. A value `-` is read from standard
 * input, unless that is a terminal.
 */
export async function parseSettings(words: readonly string[], stdin: Input): Promise<StringMap> {
  const [first = '', second] = words;
  const isPair = words.length === 2 && second !== undefined && !first.includes('=');
  const pairs: (readonly [string, string])[] = isPair ? [[first, second]] : words.map(parsePair);
  const fromStdin = pairs.filter(([, value]) => value === '-').length;
  if (fromStdin === 0 || stdin.isTTY) return Object.fromEntries(pairs);
  if (fromStdin > 1) throw new UsageError('Only one value can be read from standard input');
  const text = await readAll(stdin);
  return Object.fromEntries(pairs.map(([key, value]) => [key, value === '-' ? text : value]));
}

/** The names given, or those that `all` finds; exactly one of the two must be given. */
export async function namesOrAll(
  names: readonly string[],
  all: boolean | undefined,
  find: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (all && names.length > 0) throw new UsageError('Both --all and instance names given');
  if (all) return find();
  if (names.length === 0) throw new UsageError('Name at least one instance, or give --all');
  return [...new Set(names)];
}
