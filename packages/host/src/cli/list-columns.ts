import { isAdopted } from '../core/adopted.ts';
import { containerOf } from '../core/container.ts';
import { own } from '../core/records.ts';
import type { InstanceFullJson, InstanceJson, NetworkJson } from '../wire/instance.ts';
import { isInFleet } from './location.ts';
import { formatMemory, formatTime } from './text.ts';
import { UsageError } from './usage-error.ts';

/** One column of `porthole list`. */
export interface Column {
  readonly header: string;
  /** Whether it needs the instance's live state. */
  readonly live: boolean;
  cell(instance: InstanceFullJson): string;
}

const NANOSECONDS = 1e9;
const FINGERPRINT_SHORT = 12;

/** The letters of LXD's client, and `r`. */
const LETTERS: Readonly<Record<string, Column>> = {
  '4': { header: 'IPV4', live: true, cell: (it) => addresses(it, 'inet') },
  '6': { header: 'IPV6', live: true, cell: (it) => addresses(it, 'inet6') },
  a: { header: 'ARCHITECTURE', live: false, cell: (it) => it.architecture },
  b: { header: 'STORAGE POOL', live: false, cell: rootPool },
  c: { header: 'CREATED AT', live: false, cell: (it) => formatTime(it.created_at) },
  d: { header: 'DESCRIPTION', live: false, cell: (it) => it.description },
  D: { header: 'DISK USAGE', live: true, cell: (it) => memory(it.state?.disk?.['root']?.usage) },
  f: { header: 'BASE IMAGE', live: false, cell: (it) => baseImage(it).slice(0, FINGERPRINT_SHORT) },
  F: { header: 'BASE IMAGE', live: false, cell: baseImage },
  L: { header: 'LOCATION', live: false, cell: (it) => (isInFleet(it) ? it.location : '') },
  l: { header: 'LAST USED AT', live: false, cell: (it) => formatTime(it.last_used_at) },
  m: { header: 'MEMORY USAGE', live: true, cell: (it) => memory(it.state?.memory.usage) },
  n: { header: 'NAME', live: false, cell: (it) => it.name },
  N: { header: 'PROCESSES', live: true, cell: (it) => positive(it.state?.processes) },
  p: { header: 'PID', live: true, cell: (it) => positive(it.state?.pid) },
  P: { header: 'PROFILES', live: false, cell: (it) => it.profiles.join('\n') },
  r: { header: 'RUNTIME', live: false, cell: runtimeOf },
  s: { header: 'STATE', live: false, cell: (it) => it.status.toUpperCase() },
  S: {
    header: 'SNAPSHOTS',
    live: true,
    cell: (it) => String((it.snapshots as unknown[] | null)?.length ?? 0),
  },
  t: { header: 'TYPE', live: false, cell: typeOf },
  u: { header: 'CPU USAGE', live: true, cell: (it) => cpu(it.state?.cpu.usage) },
};

/** For the help: each letter and its header. */
export const COLUMN_LETTERS: readonly string[] = Object.entries(LETTERS).map(
  ([letter, { header }]) => `  ${letter}  ${header}`,
);

/**
 * Reads the value of `--columns`: letters, and config keys as `key[:HEADER[:WIDTH]]` or options
 * of devices as `devices:NAME.OPTION[:HEADER[:WIDTH]]`, with commas between.
 * @throws UsageError for an unknown letter
 */
export function parseColumns(text: string): readonly Column[] {
  const columns = text
    .split(',')
    .flatMap((word) => (word.includes('.') ? [configColumn(word)] : letters(word)));
  if (columns.length === 0) throw new UsageError('No columns given');
  return columns;
}

function letters(word: string): Column[] {
  return [...word].map((letter) => {
    const column = Object.hasOwn(LETTERS, letter) ? LETTERS[letter] : undefined;
    if (!column) throw new UsageError(`Unknown column "${letter}" in "${word}"`);
    return column;
  });
}

function configColumn(word: string): Column {
  const isDevice = word.startsWith('devices:');
  const [key = '', header = '', width = ''] = word.replace(/^(devices|config):/, '').split(':');
  if (!/^\d*$/.test(width)) throw new UsageError(`Invalid width "${width}" in "${word}"`);
  const cell = (it: InstanceJson) => (isDevice ? deviceOption(it, key) : own(it.expanded_config, key)) ?? '';
  return {
    header: header || key.toUpperCase(),
    live: false,
    cell: (it) => (width ? cell(it).slice(0, Number(width)) : cell(it)),
  };
}

function rootPool({ expanded_devices: devices }: InstanceJson): string {
  return Object.values(devices).find(({ path }) => path === '/')?.['pool'] ?? '';
}

/** @param key `DEVICE.OPTION`; the name of a device may have dots */
function deviceOption({ expanded_devices: devices }: InstanceJson, key: string): string | undefined {
  const at = key.lastIndexOf('.');
  return own(own(devices, key.slice(0, at)) ?? {}, key.slice(at + 1));
}

/** The program that runs an instance; `other` when it was adopted by its pid. */
function runtimeOf({ config }: InstanceJson): string {
  return containerOf(config)?.runtime ?? (isAdopted(config) ? 'other' : 'porthole');
}

function typeOf(instance: InstanceJson): string {
  return instance.type.toUpperCase() + (instance.ephemeral ? ' (EPHEMERAL)' : '');
}

function baseImage(instance: InstanceJson): string {
  return instance.config['volatile.base_image'] ?? '';
}

/** Addresses that others can use: neither loopback nor link-local. */
function addresses(instance: InstanceFullJson, family: string): string {
  const interfaces = Object.entries<NetworkJson>(instance.state?.network ?? {});
  return interfaces
    .filter(([, network]) => network.type !== 'loopback')
    .flatMap(([name, network]) =>
      network.addresses
        .filter((one) => one.family === family && one.scope !== 'link' && one.scope !== 'local')
        .map((one) => `${one.address} (${name})`),
    )
    .join('\n');
}

function positive(value: number | undefined): string {
  return value ? String(value) : '';
}

function memory(bytes: number | undefined): string {
  return bytes ? formatMemory(bytes) : '';
}

function cpu(nanoseconds: number | undefined): string {
  return nanoseconds ? `${Math.floor(nanoseconds / NANOSECONDS)}s` : '';
}
