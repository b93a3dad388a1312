import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../base/coded-error.ts';
import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Device, Devices } from '../../core/model.ts';
import type { InsideOwner } from '../../native/mount.ts';
import type { Looks } from '../../process/look.ts';
import type { MountEntry } from './config-file.ts';
import { bindMount, releaseMounts } from './host-mounts.ts';
import { limitNic, newHostName } from './network.ts';
import type { InstancePaths } from './paths.ts';
import { makeNode } from './unix-char.ts';

/** Devices made ready for a start. */
export interface PreparedDevices {
  readonly mounts: readonly MountEntry[];
  /** Device numbers of the nodes, as `c MAJOR:MINOR`. */
  readonly numbers: readonly string[];
  /** The devices with what was chosen for this run. */
  readonly devices: Devices;
  readonly hostNames: Readonly<Record<string, string>>;
}

/**
 * Makes an instance's devices ready for its start. A disk's source is bound to a place of ours first: the
 * container's root may lack the right to walk there. `releaseMounts` undoes that once the instance runs.
 * @throws CodedError device-start-failed
 */
export async function prepareDevices(
  devices: Devices,
  paths: InstancePaths,
  host: { readonly owner: InsideOwner; readonly looks: Looks },
): Promise<PreparedDevices> {
  // Nodes of devices that were removed since.
  await rm(paths.devices, { recursive: true, force: true });
  const mounts: MountEntry[] = [];
  const numbers: string[] = [];
  const hostNames: Record<string, string> = {};
  const chosen: Record<string, Device> = {};
  for (const [name, device] of Object.entries(devices)) {
    chosen[name] = device;
    try {
      if (device['type'] === 'disk') mounts.push(...(await prepareDisk(name, device, paths, host.looks)));
      if (device['type'] === 'unix-char') {
        const node = await makeNode(paths.devices, name, device, host);
        if (!node) continue;
        numbers.push(node.numbers);
        mounts.push({ ...node, readonly: false, recursive: false, isFolder: false });
      }
      if (device['type'] === 'nic') {
        checkParent(device);
        const hostName = device['host_name'] ?? newHostName();
        hostNames[name] = hostName;
        chosen[name] = { ...device, host_name: hostName };
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

/** A bridge that a nic names must be there. @throws CodedError bad-request */
export function checkParent(device: Device): void {
  const { parent } = device;
  if (parent && !isInterface(parent)) {
    throw hostError('bad-request', `Parent device "${parent}" doesn't exist`);
  }
}

/** Whether the host has an interface of this name. */
export function isInterface(name: string): boolean {
  return existsSync(`/sys/class/net/${name}`);
}

/** The source of a disk must be there, unless it is not required. @throws CodedError bad-request */
export async function checkDisk(device: Device, looks: Looks): Promise<void> {
  const source = device['source'] ?? '';
  if (!isRequired(device)) return;
  const found = await looks.at(source).catch((error) => {
    throw hostError('bad-request', messageOf(error));
  });
  if (!found) throw hostError('bad-request', `Missing source path "${source}"`);
}

/** `required` unset counts as true, `optional` is its older opposite. */
export function isRequired(device: Device): boolean {
  return isTrue(device['required'], !isTrue(device['optional'], false));
}

async function prepareDisk(
  name: string,
  device: Device,
  paths: InstancePaths,
  looks: Looks,
): Promise<MountEntry[]> {
  const { source, path } = device;
  if (path === undefined || path === '/' || source === undefined) return [];
  const found = await looks.at(source);
  if (!found && !isRequired(device)) return [];
  if (!found) throw hostError('bad-request', `Missing source path "${source}" for disk "${name}"`);
  const { isFolder } = found;
  const recursive = isTrue(device['recursive'], false);
  const place = join(paths.mounts, encodeURIComponent(name));
  await mkdir(paths.mounts, { recursive: true, mode: 0o711 });
  if (isFolder) await mkdir(place, { recursive: true });
  else await writeFile(place, '', { flag: 'wx' });
  await bindMount(source, place, { recursive });
  return [{ source: place, target: path, readonly: isTrue(device['readonly'], false), recursive, isFolder }];
}
