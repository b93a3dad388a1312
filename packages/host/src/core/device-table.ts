import { checkBoolean, isTrue } from './booleans.ts';
import type { ByDeviceType } from './device-types.ts';
import type { Device } from './entities.ts';
import { hostError } from './host-errors.ts';
import { optionError } from './lxd-device-options.ts';
import { cleanPath } from './paths.ts';
import { own } from './records.ts';
import { checkRootSize } from './root-size-check.ts';
import {
  type Check,
  checkHwaddr,
  checkInterfaceName,
  hasControl,
  integer,
  matching,
  oneOf,
} from './texts.ts';
import { parseBits } from './units.ts';

/** A type of device: its options with the rule for each value, and a check of the device as a whole. */
export interface DeviceType {
  readonly options: Readonly<Record<string, Check>>;
  readonly check: (device: Device) => void;
}

/** The longest path that Linux accepts, limits.h: PATH_MAX without the NUL. */
const PATH_BYTES_MAX = 4095;

/** The guest API mount: another mount there would hide the socket. */
const WINDOW = '/dev/lxd';

/** The name of the only storage pool, built in: LXD's clients require one. */
export const POOL = 'default';

/** The values of `nictype` that Porthole has. */
export const NIC_TYPES: readonly string[] = ['bridged', 'p2p'];

const UINT32_MAX = 2 ** 32 - 1;
/** Linux has 12 bits for major and 20 bits for minor device numbers. */
const MAJOR_MAX = 4095;
const MINOR_MAX = 2 ** 20 - 1;
/** In bytes: the least that IPv4 needs, and the most that a veth of Linux accepts. */
const MTU_MIN = 68;
const MTU_MAX = 65535;

const checkInnerPath: Check = (path) => {
  checkAbsolute(path);
  const clean = cleanPath(path);
  if (clean === WINDOW || clean.startsWith(`${WINDOW}/`))
    throw hostError('bad-request', `${WINDOW} is the guest API's`);
};

const checkRate: Check = (value) => {
  if (parseBits(value) === 0) throw hostError('bad-request', "Rate can't be 0");
};

const bootPriority = integer(0, UINT32_MAX);

/** The options and checks of each type of device. */
export const DEVICE_TYPES: ByDeviceType<DeviceType> = {
  none: { options: {}, check: () => {} },
  disk: {
    options: {
      source: checkPath,
      path: checkInnerPath,
      pool: oneOf(POOL),
      readonly: checkBoolean,
      recursive: checkBoolean,
      required: checkBoolean,
      optional: checkBoolean,
      size: checkRootSize,
      'boot.priority': bootPriority,
    },
    check: checkDisk,
  },
  nic: {
    options: {
      nictype: oneOf(...NIC_TYPES),
      parent: checkInterfaceName,
      name: checkInterfaceName,
      host_name: checkInterfaceName,
      hwaddr: checkHwaddr,
      mtu: integer(MTU_MIN, MTU_MAX),
      'limits.ingress': checkRate,
      'limits.egress': checkRate,
      'limits.max': checkRate,
      'boot.priority': bootPriority,
    },
    check: checkNic,
  },
  'unix-char': {
    options: {
      source: checkHostDevice,
      path: checkInnerPath,
      major: integer(0, MAJOR_MAX),
      minor: integer(0, MINOR_MAX),
      uid: integer(0, UINT32_MAX - 1),
      gid: integer(0, UINT32_MAX - 1),
      mode: matching(/^0?[0-7]{3,4}$/, 'an octal file mode'),
      required: checkBoolean,
    },
    check: checkUnixChar,
  },
};

/** Whether a device is the instance's root disk: its path is `/`. */
export function isRootDisk(device: Device): boolean {
  return own(device, 'type') === 'disk' && own(device, 'path') === '/';
}

function checkAbsolute(path: string): void {
  if (!path.startsWith('/')) throw hostError('bad-request', 'Must be an absolute path');
  checkPath(path);
}

function checkHostDevice(path: string): void {
  if (!path.startsWith('/dev/')) throw hostError('bad-request', 'Path needs to be in /dev');
  checkPath(path);
}

function checkPath(path: string): void {
  if (hasControl(path)) throw hostError('bad-request', 'Path may not contain control characters');
  if (path.split('/').includes('..')) throw hostError('bad-request', 'Path may not contain ".."');
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw hostError('bad-request', `The maximum path length is ${PATH_BYTES_MAX} bytes`);
  }
}

function checkDisk(device: Device): void {
  const [source, path, pool] = ['source', 'path', 'pool'].map((option) => own(device, option) || undefined);
  if (isRootDisk(device)) {
    checkRoot(device);
    return;
  }
  if (!source || !path)
    throw hostError('bad-request', 'Disk entry is missing the required "source" or "path" property');
  if (own(device, 'size')) throw optionError(device, 'size');
  if (pool) throw hostError('bad-request', 'Storage volumes are not supported by Porthole');
  if (!source.startsWith('/'))
    throw hostError('bad-request', 'Source path must be absolute for local sources');
  if (cleanPath(path) === '/')
    throw hostError('bad-request', 'The path of a root disk must be written as "/"');
  const [isReadonly, isRecursive] = ['readonly', 'recursive'].map((option) =>
    isTrue(own(device, option), false),
  );
  if (isReadonly && isRecursive)
    throw hostError('bad-request', "Recursive read-only bind-mounts aren't supported");
}

/** The options that a root disk may have: those of a bind mount would have no effect. */
const ROOT_OPTIONS: ReadonlySet<string> = new Set([
  'type',
  'path',
  'pool',
  'source',
  'size',
  'boot.priority',
]);

function checkRoot(device: Device): void {
  if (own(device, 'source'))
    throw hostError('bad-request', 'Root disk entry may not have a "source" property set');
  if (!own(device, 'pool')) throw hostError('bad-request', 'Root disk entry must have a "pool" property set');
  for (const [option, value] of Object.entries(device)) {
    const isFine = ROOT_OPTIONS.has(option) || option.startsWith('user.') || value === '';
    if (!isFine) throw optionError(device, option);
  }
}

function checkNic(device: Device): void {
  if (own(device, 'nictype') === 'bridged' && !own(device, 'parent')) {
    throw hostError('bad-request', 'Invalid value for device option "parent": Required value');
  }
  if (own(device, 'nictype') === 'p2p' && own(device, 'parent')) {
    throw hostError('bad-request', 'Invalid device option "parent"');
  }
}

function checkUnixChar(device: Device): void {
  if (!own(device, 'source') && !own(device, 'path')) {
    throw hostError('bad-request', 'Unix device entry is missing the required "source" or "path" property');
  }
}
