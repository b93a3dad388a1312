import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Device, Devices } from '../../core/model.ts';
import { bindMount, unmount } from '../../native/mount.ts';
import type { MountEntry } from './config-file.ts';
import type { IdRanges } from './ids.ts';
import { newHostName } from './network.ts';
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
export function prepareDevices(
  devices: Devices,
  paths: InstancePaths,
  ids: IdRanges | null,
): PreparedDevices {
  // Nodes of devices that were removed since.
  rmSync(paths.devices, { recursive: true, force: true });
  const mounts: MountEntry[] = [];
  const numbers: string[] = [];
  const hostNames: Record<string, string> = {};
  const chosen: Record<string, Device> = {};
  for (const [name, device] of Object.entries(devices)) {
    chosen[name] = device;
    try {
      if (device['type'] === 'disk') mounts.push(...prepareDisk(name, device, paths));
      if (device['type'] === 'unix-char') {
        const node = makeNode(paths.devices, name, device, ids?.uid ?? 0);
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
      releaseMounts(paths.mounts);
      throw hostError('device-start-failed', name, error instanceof Error ? error.message : String(error));
    }
  }
  return { mounts, numbers, devices: chosen, hostNames };
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
export function checkDisk(device: Device, _ids: IdRanges | null): void {
  const source = device['source'] ?? '';
  if (!existsSync(source) && isRequired(device))
    throw hostError('bad-request', `Missing source path "${source}"`);
}

/** `required` unset counts as true, `optional` is its older opposite. */
export function isRequired(device: Device): boolean {
  return isTrue(device['required'], !isTrue(device['optional'], false));
}

function prepareDisk(name: string, device: Device, paths: InstancePaths): MountEntry[] {
  const { source, path } = device;
  if (path === undefined || path === '/' || source === undefined) return [];
  const found = statSync(source, { throwIfNoEntry: false });
  if (!found && !isRequired(device)) return [];
  if (!found) throw hostError('bad-request', `Missing source path "${source}" for disk "${name}"`);
  const isFolder = found.isDirectory();
  const recursive = isTrue(device['recursive'], false);
  const place = join(paths.mounts, encodeURIComponent(name));
  mkdirSync(paths.mounts, { recursive: true, mode: 0o711 });
  if (isFolder) mkdirSync(place, { recursive: true });
  else writeFileSync(place, '', { flag: 'wx' });
  bindMount(source, place, { recursive });
  return [{ source: place, target: path, readonly: isTrue(device['readonly'], false), recursive, isFolder }];
}

/** Takes away what {@link prepareDevices} has bound; also after a crash in between. */
export function releaseMounts(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = join(folder, entry.name);
    while (unmount(place));
    // Never recursive: if an unmount failed, what is below belongs to the host.
    if (entry.isDirectory()) rmdirSync(place);
    else rmSync(place);
  }
  rmdirSync(folder);
}
