import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Addition, Device } from '../../core/model.ts';
import type { FileIdentity, InsideOwner } from '../../native/mount.ts';
import type { Looks } from '../../process/look.ts';
import type { DeviceTarget } from '../contract/runtime.ts';
import { checkParent, isInterface, isRequired } from './devices.ts';
import type { MountWork } from './mount-work.ts';
import { isShown, placeOf, readMounts } from './mountinfo.ts';
import { limitNic, newHostName, plugNic, unplugNic } from './network.ts';
import type { InstancePaths } from './paths.ts';
import { allowDevice, denyDevice } from './tools.ts';
import { makeNode, nodePath, removeNode } from './unix-char.ts';

/** Where a running instance is. */
export interface Place {
  readonly lxcPath: string;
  readonly paths: InstancePaths;
  readonly owner: InsideOwner;
  readonly privileged: boolean;
  readonly work: MountWork;
  readonly looks: Looks;
}

/** What adding a device to a running instance has made. */
export interface Attached {
  /** A mount point was made inside. */
  readonly created: boolean;
  readonly hostName?: string;
}

/** Adds a device to a running instance. @throws CodedError or SystemError; nothing is left behind then */
export async function attachDevice(place: Place, target: DeviceTarget): Promise<Attached> {
  const { device } = target;
  if (device['type'] === 'disk') return attachDisk(place, target);
  if (device['type'] === 'unix-char') return attachNode(place, target);
  if (device['type'] === 'nic') return attachNic(target);
  return { created: false };
}

/** Takes a device away from a running instance; what the instance has removed itself is fine. */
export async function detachDevice(place: Place, target: DeviceTarget, made: Attached): Promise<void> {
  const { device } = target;
  if (device['type'] === 'nic' && made.hostName) await unplugNic(made.hostName);
  const path = pathInside(device);
  if (path === undefined) return;
  await place.work.change(place.owner, [
    { kind: 'unmount', target: path, layers: 'one', remove: made.created },
  ]);
  if (device['type'] === 'unix-char') await forbidNode(place, target);
}

/** What adding a device would make; nothing is changed. A nic gets the name of its host side. */
export async function foreseeDevice(
  { owner, work }: Place,
  { device, name }: DeviceTarget,
): Promise<Addition> {
  if (device['type'] === 'nic') {
    const hostName = device['host_name'] ?? newHostName();
    return { name, device: { ...device, host_name: hostName }, created: !isInterface(hostName) };
  }
  const target = pathInside(device);
  if (target === undefined) return { name, device, created: false };
  const [found] = await work.change(owner, [{ kind: 'look', target }]);
  return { name, device, created: found !== true };
}

/**
 * Takes out what {@link attachDevice} has made of a device, however far it came: the instance may have something of its
 * own in the same place, and the host an interface of the same name, which stays.
 * @param created the mount point, or the interface, was not there before
 */
export async function withdrawDevice(place: Place, target: DeviceTarget, created: boolean): Promise<void> {
  const { device, name } = target;
  if (device['type'] === 'nic' && device['host_name'] && created) await unplugNic(device['host_name']);
  const path = pathInside(device);
  if (path === undefined) return;
  const isNode = device['type'] === 'unix-char';
  const source = await identityOf(place, isNode ? nodePath(place.paths.devices, name) : device['source']);
  await place.work.change(place.owner, [
    { kind: 'unmount', target: path, layers: 'one', remove: created, source },
  ]);
  if (isNode) await forbidNode(place, target);
}

/** A source that is gone is nothing that could be mounted. */
async function identityOf({ looks }: Place, source = ''): Promise<FileIdentity> {
  const found = await looks.at(source);
  return { device: String(found?.device ?? ''), inode: String(found?.inode ?? '') };
}

/** Where a device is mounted inside; undefined for one that is not. */
function pathInside(device: Device): string | undefined {
  if (device['type'] !== 'disk' && device['type'] !== 'unix-char') return undefined;
  const path = device['path'] ?? device['source'];
  return path === '/' ? undefined : path;
}

/** Applies a nic's new limits. */
export async function updateDevice(target: DeviceTarget, hostName: string): Promise<void> {
  await limitNic(hostName, target.device);
}

/**
 * Adds a disk to a running instance unless it is there: a second time it would stay behind when it is removed. Where the
 * kernel says that it is there, neither its source nor the instance is looked at.
 */
export async function attachMissingDisk(place: Place, target: DeviceTarget): Promise<void> {
  if ((await isAttached(target)) && target.init.isAlive()) return;
  await attachDisk(place, target, true);
}

async function isAttached({ device, init }: DeviceTarget): Promise<boolean> {
  const { source = '', path = '' } = device;
  const [host, inside] = [await readMounts('self'), await readMounts(init.pid)];
  const found = placeOf(host ?? [], source);
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

/** Without its node a privileged instance could make one of its own, as long as its cgroup lets it use it. */
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
