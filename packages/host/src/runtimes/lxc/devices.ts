import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/coded-error.ts';
import { isTrue } from '../../core/booleans.ts';
import { isRootDisk } from '../../core/device-table.ts';
import { type ByDeviceType, rowFor } from '../../core/device-types.ts';
import type { Device, Devices } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { recordOf } from '../../core/records.ts';
import type { InsideOwner } from '../../native/mount.ts';
import type { Found, Looks } from '../../process/look.ts';
import { bindMount, releaseMounts } from './host-mounts.ts';
import type { MountEntry } from './mount-lines.ts';
import { limitNic, newHostName } from './network.ts';
import type { InstancePaths } from './paths.ts';
import { makeNode } from './unix-char.ts';

/** Devices made ready for a start. */
export interface PreparedDevices {
  readonly mounts: readonly MountEntry[];
  /** Device numbers of the nodes, as `c MAJOR:MINOR`. */
  readonly numbers: readonly string[];
  /** The devices, with the host side names that were chosen for this run. */
  readonly devices: Devices;
  readonly hostNames: Readonly<Record<string, string>>;
}

/** Facts about the instance and the host, for preparing its devices. */
interface StartPlace {
  readonly paths: InstancePaths;
  readonly owner: InsideOwner;
  readonly looks: Looks;
}

/** The result of preparing one device. */
interface Prepared {
  readonly mount?: MountEntry;
  readonly numbers?: string;
  readonly hostName?: string;
}

/** Makes a device of each type ready for a start. */
const PREPARE: ByDeviceType<(name: string, device: Device, place: StartPlace) => Promise<Prepared>> = {
  none: async () => ({}),
  disk: prepareDisk,
  nic: prepareNic,
  'unix-char': prepareNode,
};

/**
 * Makes an instance's devices ready for its start. A disk's source is first bound to a place in the
 * instance's folder: the container's root may lack the right to walk to the source. `releaseMounts` undoes
 * that once the instance runs.
 * @throws CodedError device-start-failed
 */
export async function prepareDevices(
  devices: Devices,
  paths: InstancePaths,
  host: Pick<StartPlace, 'owner' | 'looks'>,
): Promise<PreparedDevices> {
  // Nodes of devices that have been removed since the last start.
  await rm(paths.devices, { recursive: true, force: true });
  const mounts: MountEntry[] = [];
  const numbers: string[] = [];
  const hostNames = recordOf<string>([]);
  const chosen = recordOf<Device>([]);
  for (const [name, device] of Object.entries(devices)) {
    chosen[name] = device;
    try {
      const made = (await rowFor(PREPARE, device)?.(name, device, { ...host, paths })) ?? {};
      if (made.mount) mounts.push(made.mount);
      if (made.numbers !== undefined) numbers.push(made.numbers);
      if (made.hostName !== undefined) {
        hostNames[name] = made.hostName;
        chosen[name] = { ...device, host_name: made.hostName };
      }
    } catch (error) {
      await releaseMounts(paths.mounts);
      throw hostError('device-start-failed', name, messageOf(error));
    }
  }
  return { mounts, numbers, devices: chosen, hostNames };
}

/** Sets the limits of the interfaces of a run that has begun. */
export async function limitNics({ hostNames, devices }: PreparedDevices): Promise<void> {
  for (const [name, hostName] of Object.entries(hostNames)) {
    const device = devices[name] ?? {};
    const isLimited = Object.keys(device).some((option) => option.startsWith('limits.'));
    if (isLimited) await limitNic(hostName, device);
  }
}

/** The bridge that a nic names must exist. @throws CodedError bad-request */
export function checkParent(device: Device): void {
  const { parent } = device;
  if (parent && !isInterface(parent)) {
    throw hostError('bad-request', `Parent device "${parent}" doesn't exist`);
  }
}

/** The bridges that nics name must exist. @throws CodedError device-parent-missing */
export function checkParents(devices: Devices): void {
  for (const [name, { type, parent }] of Object.entries(devices)) {
    if (type === 'nic' && parent && !isInterface(parent))
      throw hostError('device-parent-missing', name, parent);
  }
}

/** Whether the host has an interface of this name. */
export function isInterface(name: string): boolean {
  return existsSync(`/sys/class/net/${name}`);
}

/** Checks what the host must have before a device of each type is stored. @throws CodedError bad-request */
const CHECK: ByDeviceType<(name: string, device: Device, looks: Looks) => Promise<void>> = {
  none: async () => {},
  disk: checkDisk,
  nic: async () => {},
  'unix-char': async () => {},
};

/** Checks what the host must have for a device. @throws CodedError bad-request */
export async function checkDevice(name: string, device: Device, looks: Looks): Promise<void> {
  await rowFor(CHECK, device)?.(name, device, looks);
}

/** The source of a disk must exist, unless it is not required. @throws CodedError bad-request */
async function checkDisk(name: string, device: Device, looks: Looks): Promise<void> {
  if (isRootDisk(device)) return;
  const source = device['source'] ?? '';
  if (!isRequired(device)) return;
  const found = await looks.at(source).catch((error) => {
    throw hostError('bad-request', messageOf(error));
  });
  if (!found) throw hostError('bad-request', `Missing source path "${source}" for disk "${name}"`);
  refuseBlockDevice(found, source);
}

/** LXD would mount the file system of the block device. Here the instance would get a device that it may not open. */
function refuseBlockDevice({ isBlockDevice }: Found, source: string): void {
  if (!isBlockDevice) return;
  const advice = 'mount it on the host, and give its folder as the source';
  throw hostError('bad-request', `The source "${source}" is a block device: ${advice}`);
}

/** `required` is true by default; `optional` is an older key with the opposite meaning. */
export function isRequired(device: Device): boolean {
  return isTrue(device['required'], !isTrue(device['optional'], false));
}

async function prepareDisk(name: string, device: Device, { paths, looks }: StartPlace): Promise<Prepared> {
  const { source, path } = device;
  if (path === undefined || path === '/' || source === undefined) return {};
  const found = await looks.at(source);
  if (!found && !isRequired(device)) return {};
  if (!found) throw hostError('bad-request', `Missing source path "${source}" for disk "${name}"`);
  refuseBlockDevice(found, source);
  const { isFolder } = found;
  const recursive = isTrue(device['recursive'], false);
  const place = join(paths.mounts, encodeURIComponent(name));
  await mkdir(paths.mounts, { recursive: true, mode: 0o711 });
  if (isFolder) await mkdir(place, { recursive: true });
  else await writeFile(place, '', { flag: 'wx' });
  await bindMount(source, place, { recursive });
  const readonly = isTrue(device['readonly'], false);
  return { mount: { source: place, target: path, readonly, recursive, isFolder } };
}

async function prepareNic(_name: string, device: Device): Promise<Prepared> {
  checkParent(device);
  return { hostName: device['host_name'] ?? newHostName() };
}

async function prepareNode(name: string, device: Device, place: StartPlace): Promise<Prepared> {
  const node = await makeNode(place.paths.devices, name, device, place);
  if (!node) return {};
  const { source, target, numbers } = node;
  return { numbers, mount: { source, target, readonly: false, recursive: false, isFolder: false } };
}
