import { CodedError } from '../base/coded-error.ts';
import { isAdopted } from './adopted.ts';
import { DEVICE_TYPES, type DeviceType, isRootDisk, NIC_TYPES } from './device-table.ts';
import { rowFor } from './device-types.ts';
import type { Config, Device, Devices } from './entities.ts';
import { hostError } from './host-errors.ts';
import { optionError } from './lxd-device-options.ts';
import { checkDeviceName } from './names.ts';
import { cleanPath } from './paths.ts';
import { own, recordOf, sortedKeys } from './records.ts';
import { type Check, checkText, hasControl } from './texts.ts';
import { volatileKey } from './volatile-nics.ts';

/** Devices of one instance or profile: each is a mount or an interface, set up one after another. */
export const DEVICES_MAX = 256;
/** Options of one device, including `user.*`. */
export const DEVICE_OPTIONS_MAX = 128;
const DEVICE_OPTION_NAME_BYTES_MAX = 255;
/** Bytes of an option's value; paths have a lower limit. */
const DEVICE_OPTION_VALUE_BYTES_MAX = 16 * 1024;

/**
 * Checks the devices of an instance or profile, which may be any value. An empty option counts as unset, but the
 * type of the device must have such an option.
 * @returns the devices without empty options
 * @throws bad-request with LXD's text, without a prefix such as `Invalid devices: `
 */
export function checkDevices(devices: Devices): Devices {
  if (!isRecord(devices)) throw hostError('bad-request', 'Devices are not a mapping');
  const entries: [string, unknown][] = Object.entries(devices);
  if (entries.length > DEVICES_MAX)
    throw hostError('bad-request', `The maximum number of devices is ${DEVICES_MAX}`);
  for (const [name, device] of entries) {
    checkDeviceName(name);
    prefixed(`Device validation failed for "${name}": `, () => checkShape(device));
    const type = typeOf(name, device as Device);
    prefixed(`Device validation failed for "${name}": `, () => checkDevice(device as Device, type));
  }
  return recordOf(Object.entries(devices).map(([name, device]) => [name, withoutEmpty(device)]));
}

const withoutEmpty = (device: Device): Device =>
  recordOf(Object.entries(device).filter(([, value]) => value !== ''));

/**
 * Checks the rules for all devices of an instance together.
 * @param devices expanded
 * @param config the instance's own; if given, nic names in its `volatile.*` keys count too
 * @throws bad-request with LXD's text, without a prefix such as `Invalid expanded devices: `
 */
export function checkExpandedDevices(devices: Devices, config: Config = {}): void {
  checkDiskPaths(devices);
  const names = new Set<string>();
  for (const name of sortedKeys(devices)) {
    const device = devices[name]!;
    const inner = own(device, 'name') || own(config, volatileKey(name, 'name'));
    if (own(device, 'type') === 'nic' && inner)
      addOnce(names, inner, 'More than one nic device uses the same name');
  }
  // The runtime that started an adopted instance provides its root.
  if (!isAdopted(config)) prefixed('Failed detecting root disk device: ', () => checkRootDisk(devices));
}

/** Also those of a profile alone: no instance could have two disks at one path. @throws bad-request */
export function checkDiskPaths(devices: Devices): void {
  const paths = new Set<string>();
  for (const name of sortedKeys(devices)) {
    const device = devices[name]!;
    if (own(device, 'type') === 'disk')
      addOnce(paths, cleanPath(own(device, 'path') ?? ''), 'More than one disk device uses the same path');
  }
}

/** @throws bad-request `No root device could be found`; LXD adds different prefixes at creation and update */
export function checkRootDisk(devices: Devices): void {
  const isThere = Object.values(devices).some((device) => isRootDisk(device) && own(device, 'pool'));
  if (!isThere) throw hostError('bad-request', 'No root device could be found');
}

function checkShape(device: unknown): void {
  if (!isRecord(device)) throw hostError('bad-request', 'Device is not a mapping');
  const entries = Object.entries(device);
  if (entries.length > DEVICE_OPTIONS_MAX) {
    throw hostError('bad-request', `The maximum number of device options is ${DEVICE_OPTIONS_MAX}`);
  }
  for (const [option, value] of entries) {
    const isName = !hasControl(option) && option.isWellFormed();
    if (!isName || Buffer.byteLength(option) > DEVICE_OPTION_NAME_BYTES_MAX) {
      throw hostError(
        'bad-request',
        `Invalid device option ${JSON.stringify(option.slice(0, DEVICE_OPTION_NAME_BYTES_MAX))}`,
      );
    }
    prefixed(`Invalid value for device option "${option}": `, () => checkValue(value));
  }
}

function checkValue(value: unknown): void {
  if (typeof value !== 'string') throw hostError('bad-request', 'Not a string');
  checkText(value, 'Value');
  if (Buffer.byteLength(value) > DEVICE_OPTION_VALUE_BYTES_MAX) {
    throw hostError('bad-request', `The maximum size is ${DEVICE_OPTION_VALUE_BYTES_MAX} bytes`);
  }
}

/** For a nic with an LXD network or another `nictype`, the error is about the type, not about the option. */
function typeOf(name: string, device: Device): DeviceType {
  const type = own(device, 'type');
  if (!type) throw hostError('bad-request', `Failed loading device "${name}": Missing device type in config`);
  const found = rowFor(DEVICE_TYPES, device);
  const isNic = type === 'nic';
  const isKnown = !isNic || (NIC_TYPES.includes(own(device, 'nictype') ?? '') && !own(device, 'network'));
  if (!found || !isKnown)
    throw hostError('bad-request', `Failed loading device "${name}": Unsupported device type`);
  return found;
}

function checkDevice(device: Device, type: DeviceType): void {
  for (const [option, value] of Object.entries(device)) {
    if (option === 'type' || option.startsWith('user.')) continue;
    const check: Check | undefined = own(type.options, option);
    if (!check) throw optionError(device, option);
    if (value !== '') prefixed(`Invalid value for device option "${option}": `, () => check(value));
  }
  type.check(device);
}

function addOnce(seen: Set<string>, value: string, refusal: string): void {
  if (seen.has(value)) throw hostError('bad-request', `${refusal} "${value}"`);
  seen.add(value);
}

function prefixed(prefix: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw hostError('bad-request', `${prefix}${error.message}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
