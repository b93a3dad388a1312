import { BlockList, isIP } from 'node:net';
import { own } from '../core/records.ts';
import type { InstanceFullJson, NetworkJson } from '../wire/instance.ts';
import { UsageError } from './usage-error.ts';

/** Which instances `porthole list` shows. */
export interface Filters {
  /** Whether they need the instances' live state. */
  readonly live: boolean;
  readonly instance: (instance: InstanceFullJson) => boolean;
}

/** Fields of an instance that can be filtered by, besides config keys. */
const FIELDS: Readonly<Record<string, (instance: InstanceFullJson) => string>> = {
  name: (it) => it.name,
  status: (it) => it.status,
  state: (it) => it.status,
  type: (it) => it.type,
  architecture: (it) => it.architecture,
  description: (it) => it.description,
  ephemeral: (it) => String(it.ephemeral),
  profiles: (it) => it.profiles.join(','),
};

/** @throws UsageError for an invalid filter */
export function parseFilters(texts: readonly string[]): Filters {
  const filters = texts.map(parseFilter);
  return {
    live: filters.some((filter) => filter.live),
    instance: (instance) => filters.every((filter) => filter.instance(instance)),
  };
}

function parseFilter(text: string): Filters {
  const at = text.indexOf('=');
  if (at === -1) return { live: false, instance: (it) => it.name.startsWith(text) || matches(text, it.name) };
  const key = text.slice(0, at);
  const value = text.slice(at + 1);
  if (key === 'ipv4' || key === 'ipv6') return addressFilter(key, value);
  const field = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
  if (field)
    return { live: false, instance: (it) => value.split(',').some((one) => matches(one, field(it))) };
  return { live: false, instance: (it) => configValues(it, key).some((one) => matches(value, one)) };
}

/** The values of the keys that the text means: `u.role` is short for `user.role`. A key that is not set is empty. */
function configValues({ expanded_config: config }: InstanceFullJson, text: string): readonly string[] {
  const exact = own(config, text);
  if (exact !== undefined) return [exact];
  const short = Object.keys(config).filter((key) => isShortFor(text.split('.'), key.split('.')));
  return short.length > 0 ? short.map((key) => config[key] ?? '') : [''];
}

function isShortFor(short: readonly string[], parts: readonly string[]): boolean {
  return short.length === parts.length && parts.every((part, at) => part.startsWith(short[at] ?? ''));
}

/** True when the whole text matches the pattern, ignoring case; an invalid pattern is compared as text. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, 'i').test(text);
  } catch {
    return pattern.toLowerCase() === text.toLowerCase();
  }
}

function addressFilter(family: 'ipv4' | 'ipv6', value: string): Filters {
  const list = new BlockList();
  const bits = family === 'ipv4' ? 32 : 128;
  const [address = '', prefix = String(bits)] = value.split('/');
  const wrong =
    isIP(address) !== (family === 'ipv4' ? 4 : 6) || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits;
  if (wrong) throw new UsageError(`Invalid ${family} address or subnet "${value}"`);
  list.addSubnet(address, Number(prefix), family);
  const inside = (network: NetworkJson) =>
    network.addresses.some((one) => isIP(one.address) !== 0 && list.check(one.address, family));
  return { live: true, instance: (it) => Object.values(it.state?.network ?? {}).some(inside) };
}
