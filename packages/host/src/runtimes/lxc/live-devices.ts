import { isTrue } from '../../core/booleans.ts';
import { type ByDeviceType, rowFor } from '../../core/device-types.ts';
import type { Addition, Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { FileIdentity, InsideOwner } from '../../native/mount.ts';
import type { Looks } from '../../process/look.ts';
import type { DeviceTarget } from '../contract/runtime.ts';
import { isShown, placeOf, readMounts } from '../kernel/mountinfo.ts';
import { checkParent, isInterface, isRequired } from './devices.ts';
import type { MountWork } from './mount-work.ts';
import { limitNic, newHostName, plugNic, unplugNic } from './network.ts';
import type { InstancePaths } from './paths.ts';
import { allowDevice, denyDevice } from './tools.ts';
import { makeNode, nodePath, removeNode } from './unix-char.ts';

/** Facts about a running instance, for changing its devices. */
export interface Place {
  readonly lxcPath: string;
  readonly paths: InstancePaths;
  readonly owner: InsideOwner;
  readonly privileged: boolean;
  readonly work: MountWork;
  readonly looks: Looks;
}

/** The result of adding a device to a running instance. */
export interface Attached {
  /** Whether a mount point was made inside. */
  readonly created: boolean;
  readonly hostName?: string;
}

/** Changes of a device while its instance runs. */
interface LiveDevice {
  attach(place: Place, target: DeviceTarget): Promise<Attached>;
  detach(place: Place, target: DeviceTarget, made: Attached): Promise<void>;
  foresee(place: Place, target: DeviceTarget): Promise<Addition>;
  withdraw(place: Place, target: DeviceTarget, created: boolean): Promise<void>;
  attachMissing(place: Place, target: DeviceTarget): Promise<unknown>;
}

const NOTHING: LiveDevice = {
  attach: async () => ({ created: false }),
  detach: async () => {},
  foresee: async (_place, { name, device }) => ({ name, device, created: false }),
  withdraw: async () => {},
  attachMissing: async () => {},
};

const LIVE: ByDeviceType<LiveDevice> = {
  none: NOTHING,
  disk: {
    attach: attachDisk,
    attachMissing: attachMissingDisk,
    ...mounted({ source: (_place, { device }) => device['source'], forget: async () => {} }),
  },
  nic: {
    attach: (_place, target) => attachNic(target),
    detach: async (_place, _target, { hostName }) => void (hostName && (await unplugNic(hostName))),
    foresee: async (_place, { name, device }) => {
      const hostName = device['host_name'] ?? newHostName();
      return { name, device: { ...device, host_name: hostName }, created: !isInterface(hostName) };
    },
    async withdraw(_place, { device }, created) {
      if (device['host_name'] && created) await unplugNic(device['host_name']);
    },
    attachMissing: async (_place, target) => attachMissingNic(target),
  },
  'unix-char': {
    attach: attachNode,
    attachMissing: attachMissingNode,
    ...mounted({ source: ({ paths }, { name }) => nodePath(paths.devices, name), forget: forbidNode }),
  },
};

const live = (device: Device): LiveDevice => rowFor(LIVE, device) ?? NOTHING;

/**
 * Adds a device to a running instance.
 * @throws CodedError; the device has then left nothing behind
 */
export function attachDevice(place: Place, target: DeviceTarget): Promise<Attached> {
  return live(target.device).attach(place, target);
}

/** Removes a device from a running instance; not an error if the instance has removed it itself. */
export function detachDevice(place: Place, target: DeviceTarget, made: Attached): Promise<void> {
  return live(target.device).detach(place, target, made);
}

/** Tells the result of adding a device; nothing is changed. A nic gets the name of its host side. */
export function foreseeDevice(place: Place, target: DeviceTarget): Promise<Addition> {
  return live(target.device).foresee(place, target);
}

/**
 * Takes out what {@link attachDevice} has made of a device, even if it did not finish. If the instance has
 * something else in the same place, or the host an interface of the same name, that stays.
 * @param created whether the mount point, or the interface, did not exist before
 */
export function withdrawDevice(place: Place, target: DeviceTarget, created: boolean): Promise<void> {
  return live(target.device).withdraw(place, target, created);
}

/**
 * The functions of a device that is mounted inside.
 * @param its what was mounted, and what has to be done once it is unmounted
 */
function mounted(its: {
  source(place: Place, target: DeviceTarget): string | undefined;
  forget(place: Place, target: DeviceTarget): Promise<void>;
}): Omit<LiveDevice, 'attach' | 'attachMissing'> {
  return {
    async detach(place, target, { created }) {
      const path = pathInside(target.device);
      if (path === undefined) return;
      await place.work.change(place.owner, [
        { kind: 'unmount', target: path, layers: 'one', remove: created },
      ]);
      await its.forget(place, target);
    },
    async foresee({ owner, work }, { device, name }) {
      const target = pathInside(device);
      if (target === undefined) return { name, device, created: false };
      const [found] = await work.change(owner, [{ kind: 'look', target }]);
      return { name, device, created: found !== true };
    },
    async withdraw(place, target, created) {
      const path = pathInside(target.device);
      if (path === undefined) return;
      const source = await identityOf(place, its.source(place, target));
      await place.work.change(place.owner, [
        { kind: 'unmount', target: path, layers: 'one', remove: created, source },
      ]);
      await its.forget(place, target);
    },
  };
}

/** A source that is gone gets an empty identity, which no mount has. */
async function identityOf({ looks }: Place, source = ''): Promise<FileIdentity> {
  const found = await looks.at(source);
  return { device: String(found?.device ?? ''), inode: String(found?.inode ?? '') };
}

/** Where a device is mounted inside; undefined for the root. */
function pathInside(device: Device): string | undefined {
  const path = device['path'] ?? device['source'];
  return path === '/' ? undefined : path;
}

/** Applies a nic's new limits. */
export async function updateDevice(target: DeviceTarget, hostName: string): Promise<void> {
  await limitNic(hostName, target.device);
}

/** Adds a device to a running instance, unless it is there. A nic gets its limits also if it is there. */
export async function attachMissingDevice(place: Place, target: DeviceTarget): Promise<void> {
  await live(target.device).attachMissing(place, target);
}

/**
 * Adds a disk unless it is mounted: of two mounts, one would stay when the disk is removed. When the kernel says that
 * the disk is mounted, neither its source nor the instance is looked at.
 */
async function attachMissingDisk(place: Place, target: DeviceTarget): Promise<void> {
  const { source = '' } = target.device;
  if ((await isAttached(target, source)) && target.init.isAlive()) return;
  await attachDisk(place, target, true);
}

async function attachMissingNode(place: Place, target: DeviceTarget): Promise<void> {
  const source = nodePath(place.paths.devices, target.name);
  if ((await isAttached(target, source)) && target.init.isAlive()) return;
  await attachNode(place, target);
}

/** Without the name of its host side nothing is known of it. */
async function attachMissingNic(target: DeviceTarget): Promise<void> {
  const hostName = target.device['host_name'];
  if (hostName === undefined) return;
  if (isInterface(hostName)) await limitNic(hostName, target.device);
  else await attachNic(target);
}

async function isAttached({ device, init }: DeviceTarget, source: string): Promise<boolean> {
  const [host, inside] = [await readMounts('self'), await readMounts(init.pid)];
  const found = placeOf(host ?? [], source);
  const path = pathInside(device) ?? '';
  return found !== null && isShown(inside ?? [], path, { ...found, readonly: isReadonly(device) });
}

const isReadonly = (device: Device) => isTrue(device['readonly'], false);

async function attachDisk(
  place: Place,
  { device, name }: DeviceTarget,
  unlessThere = false,
): Promise<Attached> {
  const { source, path } = device;
  if (path === undefined || path === '/' || source === undefined) return { created: false };
  if (!(await place.looks.at(source))) {
    if (!isRequired(device)) return { created: false };
    throw hostError('bad-request', `Missing source path "${source}" for disk "${name}"`);
  }
  const recursive = isTrue(device['recursive'], false);
  const [created] = await place.work.change(place.owner, [
    { kind: 'mount', source, target: path, readonly: isReadonly(device), recursive, unlessThere },
  ]);
  return { created: created === true };
}

async function attachNode(place: Place, target: DeviceTarget): Promise<Attached> {
  const { id, device, name } = target;
  const node = await makeNode(place.paths.devices, name, device, place);
  if (!node) return { created: false };
  try {
    if (place.privileged) await allowDevice(place.lxcPath, id, node.numbers);
    const [created] = await place.work.change(place.owner, [
      { kind: 'mount', source: node.source, target: node.target, readonly: false, recursive: false },
    ]);
    return { created: created === true };
  } catch (error) {
    await forbidNode(place, target);
    throw error;
  }
}

/**
 * To remove the node is not enough: a privileged instance could make another one, as long as its cgroup
 * allows the device.
 */
async function forbidNode(place: Place, { id, name }: DeviceTarget): Promise<void> {
  const numbers = await removeNode(place.paths.devices, name);
  if (numbers !== null && place.privileged) await denyDevice(place.lxcPath, id, numbers);
}

async function attachNic({ device, init }: DeviceTarget): Promise<Attached> {
  checkParent(device);
  const hostName = device['host_name'] ?? newHostName();
  await plugNic(init, device, hostName);
  try {
    await limitNic(hostName, device);
  } catch (error) {
    await unplugNic(hostName);
    throw error;
  }
  return { created: false, hostName };
}
