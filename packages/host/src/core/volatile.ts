import { ADOPTED } from './adopted.ts';
import { isConfigEntry } from './config-keys.ts';
import { isContainerKey } from './container.ts';
import {
  type Config,
  type Device,
  type Devices,
  type Image,
  type Instance,
  TEMPLATE_TRIGGERS,
  type TemplateTrigger,
} from './entities.ts';
import type { Expanded } from './expand.ts';
import type { Random } from './random.ts';
import { copyOf, type OwnRecord, own, recordOf, sortedKeys } from './records.ts';
import { assignNics, DEVICE_VOLATILE_OPTIONS, nicNames, volatileKey } from './volatile-nics.ts';

const UUID = 'volatile.uuid';
const INSTANCE_ID = 'volatile.cloud-init.instance-id';
const LAST_STATE = 'volatile.last_state.';
const POWER = 'volatile.last_state.power';
const READY = 'volatile.last_state.ready';
const APPLY_TEMPLATE = 'volatile.apply_template';
/** The image whose files are the lower part of the root filesystem. */
const BASE_IMAGE = 'volatile.base_image';
/** Keys that only the server sets. */
const OWN_KEYS: ReadonlySet<string> = new Set([UUID, ADOPTED, APPLY_TEMPLATE, BASE_IMAGE]);

/**
 * The config of a new instance: the given one, with the keys that the server adds. A given instance id for
 * cloud-init and given values of nics are kept; `uuid` and keys about an earlier run are not, because they
 * belong to one instance.
 */
export function newVolatile(
  instance: Pick<Instance, 'config'>,
  expandedDevices: Devices,
  random: Random,
): Config {
  const config = copyOf(instance.config);
  for (const key of Object.keys(config)) {
    if (key.startsWith(LAST_STATE) || key === APPLY_TEMPLATE || isContainerKey(key) || isHostName(key))
      delete config[key];
  }
  config[UUID] = random.uuid();
  config[INSTANCE_ID] ||= random.uuid();
  return assignNics(config, expandedDevices, random);
}

/** The config after a start. @param hostNames the interface on the host of each nic device */
export function afterStart(config: Config, hostNames: Readonly<Record<string, string>>): Config {
  const started = withoutHostNames(config);
  for (const [device, hostName] of Object.entries(hostNames))
    started[volatileKey(device, 'host_name')] = hostName;
  started[POWER] = 'RUNNING';
  delete started[APPLY_TEMPLATE];
  return started;
}

/** Whether a run has stored names of interfaces on the host, and its end has not removed them. */
export function hasHostNames(config: Config): boolean {
  return Object.keys(config).some(isHostName);
}

/** The config with the names of interfaces on the host that it lacks. */
export function withHostNames(config: Config, hostNames: Readonly<Record<string, string>>): Config {
  const named = Object.entries(hostNames).map(
    ([device, hostName]) => [volatileKey(device, 'host_name'), hostName] as const,
  );
  return recordOf([...named, ...Object.entries(config)]);
}

/** The config after a run that is not followed by another. */
export function afterStop(config: Config): Config {
  const stopped = withoutHostNames(config);
  stopped[POWER] = 'STOPPED';
  stopped[READY] = 'false';
  return stopped;
}

/** The config before a restart ends the run: the instance starts again, even if the daemon ends before. */
export function beforeRestart(config: Config): Config {
  return withPower(config, 'RESTARTING');
}

/** Whether the run is being ended for a restart. */
export function isRestarting(config: Config): boolean {
  return config[POWER] === 'RESTARTING';
}

/** The config of a running instance that is not started again at its end. */
export function whileRunning(config: Config): Config {
  return withPower(config, 'RUNNING');
}

function withPower(config: Config, power: string): Config {
  return recordOf([...Object.entries(config), [POWER, power]]);
}

/** The config between two runs, as at a reboot: the instance is started, also if the daemon ends before. */
export function betweenRuns(config: Config): Config {
  return withPower(afterStop(config), 'REBOOTING');
}

/** Whether a run has ended, and the next one, e.g. of a reboot, has not begun. */
export function isBetweenRuns(config: Config): boolean {
  return config[POWER] === 'REBOOTING';
}

/** The config after the instance has reported whether it is ready. */
export function withReady(config: Config, ready: boolean): Config {
  return recordOf([...Object.entries(config), [READY, String(ready)]]);
}

/** The config at the daemon's start: an instance must report again that it is ready. */
export function withoutReady(config: Config): Config {
  return recordOf(Object.entries(config).filter(([key]) => key !== READY));
}

/**
 * The config of an instance whose next start applies the templates of a trigger, unless those of an earlier
 * trigger still wait.
 */
export function withTemplates(config: Config, trigger: TemplateTrigger): Config {
  return recordOf([[APPLY_TEMPLATE, trigger], ...Object.entries(config)]);
}

/** The triggers of the templates that the next start applies, in order. */
export function templateTriggers(config: Config): readonly TemplateTrigger[] {
  const waiting = TEMPLATE_TRIGGERS.find((trigger) => trigger === config[APPLY_TEMPLATE]);
  return waiting && waiting !== 'start' ? [waiting, 'start'] : ['start'];
}

/** The config after a rename: a new instance id makes cloud-init run again. */
export function afterRename(config: Config, random: Random): Config {
  return recordOf([...Object.entries(config), [INSTANCE_ID, random.uuid()]]);
}

/**
 * The config of an instance after an update to the requested one (`after`, expanded in `expandedAfter`).
 * `uuid`, `adopted`, `last_state`, `apply_template`, `base_image` and interface names on the host keep the server's values, also if
 * the request has others. Values of removed devices, and of devices with another type, are removed; new nics get an
 * address and a name. The instance id changes if cloud-init must run again.
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
 * The config keys of an instance about its image: the image's properties as `image.*`, and its fingerprint.
 * Properties that a config cannot hold are left out: images come from elsewhere and can have any.
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

/** The config without names of interfaces on the host. */
export function withoutHostNames(config: Config): OwnRecord<string> {
  return recordOf(Object.entries(config).filter(([key]) => !isHostName(key)));
}

function keepServerValues(asked: OwnRecord<string>, current: Config): void {
  const isServers = (key: string) =>
    OWN_KEYS.has(key) || isContainerKey(key) || key.startsWith(LAST_STATE) || isHostName(key);
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

/** Removes only the keys of this device: `volatile.a.b.name` belongs to the device `a.b`, not to `a`. */
function dropDevice(config: OwnRecord<string>, device: string): void {
  for (const option of DEVICE_VOLATILE_OPTIONS) delete config[volatileKey(device, option)];
}

const CLOUD_INIT_DATA: ReadonlySet<string> = new Set(
  ['user-data', 'vendor-data', 'network-config'].flatMap((kind) => [`cloud-init.${kind}`, `user.${kind}`]),
);

/** Whether a key has changed after which cloud-init must run again. */
function cloudInitChanged(before: Config, after: Config): boolean {
  const changed = Object.keys({ ...before, ...after }).filter((key) => own(before, key) !== own(after, key));
  return changed.some((key) => CLOUD_INIT_DATA.has(key) || key.startsWith('cloud-init.ssh-keys.'));
}
