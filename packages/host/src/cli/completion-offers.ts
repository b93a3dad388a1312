import { readdir } from 'node:fs/promises';
import { readFile } from '../client/files.ts';
import { HostClient, path } from '../client/host-client.ts';
import type { DeviceMap } from '../client/types.ts';
import { DEVICE_TYPE_NAMES, rowFor } from '../core/device-types.ts';
import { own } from '../core/records.ts';
import type { BackupsJson } from '../wire/backup.ts';
import type { InstanceJson } from '../wire/instance.ts';
import type { OperationJson } from '../wire/operation.ts';

/** The user who presses tab does not want to wait longer. */
const ANSWER_MS_MAX = 1_500;

/** Stands for the names of local files, which the shell completes itself. */
export const FILES = ':files';

/** The candidates for an argument or an option's value, by its name. */
export async function offer(
  kind: string,
  before: readonly string[],
  current: string,
  client: HostClient,
): Promise<readonly string[]> {
  const find = Object.hasOwn(OFFERS, kind) ? OFFERS[kind] : undefined;
  if (!find) return [];
  const asking = new HostClient(client.socketPath, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  return Promise.resolve(find(asking, before, current)).catch(() => []);
}

type Offer = (
  client: HostClient,
  before: readonly string[],
  current: string,
) => Promise<readonly string[]> | readonly string[];

const OFFERS: Readonly<Record<string, Offer>> = {
  instance: (client) => names(client, '/1.0/instances'),
  instances: (client) => names(client, '/1.0/instances'),
  filters: (client) => names(client, '/1.0/instances'),
  profile: (client) => names(client, '/1.0/profiles'),
  profiles: (client) => names(client, '/1.0/profiles'),
  image: (client) => names(client, '/1.0/images/aliases'),
  alias: (client) => names(client, '/1.0/images/aliases'),
  operation: operations,
  device: devices,
  key: keys,
  'key=value': settable,
  type: () => DEVICE_TYPE_NAMES,
  file: () => [FILES],
  'file|key=value': () => [FILES],
  dir: () => [FILES],
  'instance/path': (client, _before, current) => paths(client, current),
  'source|instance/path': filesAndPaths,
  'instance/path|target': filesAndPaths,
  'source|instance:path': filesAndPlaces,
  'target|instance:path': filesAndPlaces,
  condition: conditions,
  copy: async (client) => {
    const { copies } = await client.get<BackupsJson>('/1.0/backups');
    return [FILES, ...copies.map(({ name }) => name)];
  },
  machine: machines,
  member: (client) => names(client, '/1.0/cluster/members'),
};

/** Machines of systemd-nspawn: folders and disk images of this host. */
async function machines(): Promise<readonly string[]> {
  const names = await readdir('/var/lib/machines');
  return names.filter((name) => !name.startsWith('.')).map((name) => name.replace(/\.raw$/, ''));
}

async function filesAndPaths(
  client: HostClient,
  _before: readonly string[],
  current: string,
): Promise<string[]> {
  return [FILES, ...(await paths(client, current).catch(() => []))];
}

/** The same with a colon after the instance. */
async function filesAndPlaces(
  client: HostClient,
  _before: readonly string[],
  current: string,
): Promise<string[]> {
  const found = await paths(client, current.replace(/:\/?/, '/')).catch(() => []);
  return [FILES, ...found.map((each) => each.replace('/', current.includes(':') ? ':/' : ':'))];
}

/** States of instances, and keys for their values. */
async function conditions(client: HostClient, before: readonly string[], current: string): Promise<string[]> {
  return ['ready', 'running', 'stopped', ...(await settable(client, before, current))];
}

/** Instances with a slash added, or the entries of the directory inside an instance that is typed so far. */
async function paths(client: HostClient, current: string): Promise<string[]> {
  const slash = current.indexOf('/');
  if (slash <= 0) return (await names(client, '/1.0/instances')).map((name) => `${name}/`);
  const directory = current.slice(0, current.lastIndexOf('/') + 1);
  const found = await readFile(client, current.slice(0, slash), directory.slice(slash));
  return found.type === 'directory' ? found.entries.map((name) => directory + name) : [];
}

async function names(client: HostClient, collection: string): Promise<string[]> {
  const urls = await client.get<readonly string[]>(collection);
  return urls.map((url) => decodeURIComponent(url.slice(collection.length + 1)));
}

async function operations(client: HostClient): Promise<string[]> {
  const byStatus = await client.get<Record<string, readonly OperationJson[]>>('/1.0/operations?recursion=1');
  return Object.values(byStatus).flatMap((list) => list.map(({ id }) => id));
}

/** The instance of this name, or else the profile. */
async function holderOf(client: HostClient, name: string): Promise<{ config: object; devices: DeviceMap }> {
  return client
    .get<InstanceJson>(path`/1.0/instances/${name}`)
    .catch(() => client.get<InstanceJson>(path`/1.0/profiles/${name}`));
}

async function devices(client: HostClient, [name = '']: readonly string[]): Promise<string[]> {
  return Object.keys((await holderOf(client, name)).devices);
}

/**
 * Options of a device, if one is named after the instance or profile, else config keys; words like
 * `key=value` are ignored.
 */
async function keys(client: HostClient, before: readonly string[]): Promise<string[]> {
  const [name = '', device] = before.filter((word) => !word.includes('='));
  const holder = await holderOf(client, name);
  return Object.keys(device === undefined ? holder.config : (own(holder.devices, device) ?? {}));
}

/** Keys that are set, for another value, and those that could be set. */
async function settable(client: HostClient, before: readonly string[], current: string): Promise<string[]> {
  if (current.includes('=')) return [];
  const there = (await keys(client, before).catch(() => [])).filter((key) => !key.startsWith('volatile.'));
  return [...there, ...(await known(client, before))].map((key) => `${key}=`);
}

/** Keys that instances and profiles may have, or options of the named device's type; no patterns. */
async function known(client: HostClient, before: readonly string[]): Promise<string[]> {
  const [name = '', device] = before.filter((word) => !word.includes('='));
  if (device !== undefined) {
    const found = own((await holderOf(client, name)).devices, device) ?? {};
    const { DEVICE_TYPES } = await import('../core/device-table.ts');
    return Object.keys(rowFor(DEVICE_TYPES, found)?.options ?? {});
  }
  const { CONFIG_KEYS } = await import('../core/config-key-table.ts');
  return CONFIG_KEYS.filter(({ key, use }) => use !== 'refused' && !/\*|^volatile\.|^image\./.test(key)).map(
    ({ key }) => key,
  );
}
