import { ADOPTED } from './adopted.ts';
import { isConfigEntry } from './config-keys.ts';
import type { Config, Device, Devices, Image, Instance } from './entities.ts';
import type { Expanded } from './expand.ts';
import type { Random } from './random.ts';
import { copyOf, type OwnRecord, own, recordOf, sortedKeys } from './records.ts';
import { assignNics, DEVICE_VOLATILE_OPTIONS, nicNames, volatileKey } from './volatile-nics.ts';

const UUID = 'volatile.uuid';
const INSTANCE_ID = 'volatile.cloud-init.instance-id';
const LAST_STATE = 'volatile.last_state.';
const POWER = 'volatile.last_state.power';
const READY = 'volatile.last_state.ready';

/**
 * Config of a new instance: its own, with what the server adds. An instance id for cloud-init and values of nics
 * that were given are kept; `uuid` and what tells of an earlier run are not, since they belong to one instance.
 */
export function newVolatile(
  instance: Pick<Instance, 'config'>,
  expandedDevices: Devices,
  random: Random,
): Config {
  const config = copyOf(instance.config);
  for (const key of Object.keys(config)) {
    if (key.startsWith(LAST_STATE) || isHostName(key)) delete config[key];
  }
  config[UUID] = random.uuid();
  config[INSTANCE_ID] ||= random.uuid();
  return assignNics(config, expandedDevices, random);
}

/** @param hostNames host side interface of each nic device */
export function afterStart(config: Config, hostNames: Readonly<Record<string, string>>): Config {
  const started = withoutHostNames(config);
  for (const [device, hostName] of Object.entries(hostNames))
    started[volatileKey(device, 'host_name')] = hostName;
  started[POWER] = 'RUNNING';
  delete started['volatile.apply_template'];
  return started;
}

/** After a run that no other follows. */
export function afterStop(config: Config): Config {
  const stopped = withoutHostNames(config);
  stopped[POWER] = 'STOPPED';
  stopped[READY] = 'false';
  return stopped;
}

/** Before a run is ended for another: the instance will be started again, also if the daemon ends before that. */
export function beforeRestart(config: Config): Config {
  return withPower(config, 'RESTARTING');
}

/** Whether its run is being ended for another. */
export function isRestarting(config: Config): boolean {
  return config[POWER] === 'RESTARTING';
}

/** While it runs, and is not to be started again when it ends. */
export function whileRunning(config: Config): Config {
  return withPower(config, 'RUNNING');
}

function withPower(config: Config, power: string): Config {
  return recordOf([...Object.entries(config), [POWER, power]]);
}

/** Between two runs, as at a reboot: it shall run, also if the daemon ends before it does. */
export function betweenRuns(config: Config): Config {
  return withPower(afterStop(config), 'REBOOTING');
}

/** Whether its run has ended for another, which has not begun. */
export function isBetweenRuns(config: Config): boolean {
  return config[POWER] === 'REBOOTING';
}

/** After the instance has said whether it is ready. */
export function withReady(config: Config, ready: boolean): Config {
  return recordOf([...Object.entries(config), [READY, String(ready)]]);
}

/** At the daemon's start: an instance must say anew that it is ready. */
export function withoutReady(config: Config): Config {
  return recordOf(Object.entries(config).filter(([key]) => key !== READY));
}

/** Each rename makes cloud-init run anew. */
export function afterRename(config: Config, random: Random): Config {
  return recordOf([...Object.entries(config), [INSTANCE_ID, random.uuid()]]);
}

/**
 * The config that an instance has after an update, from the one that was asked for (`after`, expanded in
 * `expandedAfter`). Whatever was asked for, `uuid`, `adopted`, `last_state` and host side names stay the server's; values of
 * devices that are gone or of another type go; new nics get theirs; the instance id changes if cloud-init has
 * something new to do.
 */
export function afterUpdate(
  before: Instance,
  after: Instance,
  expandedBefore: Expanded,
  expandedAfter: Expanded,
  random: Random,
): Config {
  const asked = copyOf(after.config);
  keepServerValues(asked, before.config);
  for (const [name, device] of Object.entries(expandedBefore.devices)) {
    if (!sameType(device, own(expandedAfter.devices, name))) dropDevice(asked, name);
  }
  const config = assignNics(asked, expandedAfter.devices, random);
  const names = nicNames(expandedBefore.devices, before.config).join('\0');
  const namesNow = nicNames(expandedAfter.devices, config).join('\0');
  const isNew = names !== namesNow || cloudInitChanged(expandedBefore.config, expandedAfter.config);
  return isNew ? afterRename(config, random) : config;
}

/**
 * An image's properties as `image.*` keys, and the fingerprint of the image that an instance is made from.
 * Properties that no config can hold are left out: an image comes from elsewhere.
 */
export function imageConfig(image: Image): Config {
  const properties = sortedKeys(image.properties).map(
    (name) => [`image.${name}`, own(image.properties, name) ?? ''] as const,
  );
  const base = ['volatile.base_image', image.fingerprint] as const;
  return recordOf([...properties.filter(([key, value]) => value !== '' && isConfigEntry(key, value)), base]);
}

function isHostName(key: string): boolean {
  return key.startsWith('volatile.') && key.endsWith('.host_name');
}

function withoutHostNames(config: Config): OwnRecord<string> {
  return recordOf(Object.entries(config).filter(([key]) => !isHostName(key)));
}

function keepServerValues(asked: OwnRecord<string>, current: Config): void {
  const isServers = (key: string) =>
    key === UUID || key === ADOPTED || key.startsWith(LAST_STATE) || isHostName(key);
  for (const key of Object.keys(asked)) {
    if (isServers(key)) delete asked[key];
  }
  for (const [key, value] of Object.entries(current)) {
    if (isServers(key)) asked[key] = value;
  }
}

function sameType(one: Device, other: Device | undefined): boolean {
  if (!other || own(one, 'type') !== own(other, 'type')) return false;
  return own(one, 'nictype') === own(other, 'nictype');
}

/** Only keys of this very device: a device `a` has no say about `volatile.a.b.name`, which is that of `a.b`. */
function dropDevice(config: OwnRecord<string>, device: string): void {
  for (const option of DEVICE_VOLATILE_OPTIONS) delete config[volatileKey(device, option)];
}

const CLOUD_INIT_DATA: ReadonlySet<string> = new Set(
  ['user-data', 'vendor-data', 'network-config'].flatMap((kind) => [`cloud-init.${kind}`, `user.${kind}`]),
);

/** Keys with a change of which cloud-init has to run anew. */
function cloudInitChanged(before: Config, after: Config): boolean {
  const changed = Object.keys({ ...before, ...after }).filter((key) => own(before, key) !== own(after, key));
  return changed.some((key) => CLOUD_INIT_DATA.has(key) || key.startsWith('cloud-init.ssh-keys.'));
}
