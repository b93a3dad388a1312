import { isRootDisk } from '../../core/device-table.ts';
import { type ByDeviceType, rowFor } from '../../core/device-types.ts';
import type { Config, Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';

/** Keys that only the runtime that started the processes can apply; `*` stands for the rest of a key. */
const REFUSED_KEYS: readonly string[] = [
  'boot.autostart',
  'environment.*',
  'limits.*',
  'linux.sysctl.*',
  'raw.lxc',
  'security.nesting',
  'security.privileged',
];

/** @throws CodedError bad-request for a key that an adopted instance cannot have */
export function checkAdoptedConfig(config: Config): void {
  const key = Object.keys(config).find((each) => REFUSED_KEYS.some((pattern) => matches(pattern, each)));
  if (key === undefined) return;
  throw hostError('bad-request', `"${key}" of an adopted instance can be set only by its own runtime`);
}

function matches(pattern: string, key: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

/**
 * Allows a nic that describes an existing interface: it needs its address, and cannot have limits. Also allows the root
 * disk, which the other runtime has made.
 * @throws CodedError bad-request for a device that Porthole would have to make
 */
export function checkAdoptedDevice(name: string, device: Device): void {
  const check = rowFor(CHECKS, device) ?? refuseMount;
  check(name, device);
}

type CheckDevice = (name: string, device: Device) => void;

const CHECKS: ByDeviceType<CheckDevice> = {
  none: () => {},
  disk(name, device) {
    if (!isRootDisk(device)) refuseMount(name);
  },
  nic: checkNic,
  'unix-char': refuseMount,
};

function refuseMount(name: string): never {
  throw hostError(
    'bad-request',
    `Device "${name}" of an adopted instance can be mounted only by its own runtime`,
  );
}

function checkNic(name: string, device: Device): void {
  if (!device['hwaddr'])
    throw hostError('bad-request', `Device "${name}" of an adopted instance needs the hwaddr that it has`);
  if (Object.keys(device).some((option) => option.startsWith('limits.')))
    throw hostError(
      'bad-request',
      `Limits of "${name}" of an adopted instance can be set only by its own runtime`,
    );
}
