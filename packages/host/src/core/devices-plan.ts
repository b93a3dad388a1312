import { isRootDisk } from './device-table.ts';
import type { Device, Devices } from './entities.ts';
import { own, sameRecord, sortedKeys } from './records.ts';

/** One step of a change of a running instance's devices. */
export interface DeviceStep {
  readonly action: 'removed' | 'updated' | 'added';
  readonly name: string;
  /** The new device; for `removed`, the old one. */
  readonly device: Device;
  /** The old device, for `updated`. */
  readonly previous?: Device;
}

/** Options of a nic that can change on a running instance without removing the nic. */
const LIVE_NIC_OPTIONS: ReadonlySet<string> = new Set(['limits.ingress', 'limits.egress', 'limits.max']);

/** Options of the root disk that can change while it stays in place. `core/root-size.ts` says how. */
const LIVE_ROOT_OPTIONS: ReadonlySet<string> = new Set(['size']);

/**
 * The steps from one set of expanded devices to another: first all removed ones, then updated, then added,
 * each sorted by name. If a change cannot be made live, the old device is removed and the new one is added.
 */
export function planDevices(before: Devices, after: Devices): readonly DeviceStep[] {
  const removed: DeviceStep[] = [];
  const updated: DeviceStep[] = [];
  const added: DeviceStep[] = [];
  for (const name of sortedKeys({ ...before, ...after })) {
    const previous = own(before, name);
    const device = own(after, name);
    if (previous && device && sameRecord(previous, device)) continue;
    if (previous && device && isLiveChange(previous, device)) {
      updated.push({ action: 'updated', name, device, previous });
      continue;
    }
    if (previous) removed.push({ action: 'removed', name, device: previous });
    if (device) added.push({ action: 'added', name, device });
  }
  return [...removed, ...updated, ...added];
}

function isLiveChange(previous: Device, device: Device): boolean {
  if (isRootDisk(previous) && isRootDisk(device)) return isSameBut(previous, device, LIVE_ROOT_OPTIONS);
  if (own(previous, 'type') !== 'nic' || own(device, 'type') !== 'nic') return false;
  return isSameBut(previous, device, LIVE_NIC_OPTIONS);
}

function isSameBut(previous: Device, device: Device, changing: ReadonlySet<string>): boolean {
  const options = Object.keys({ ...previous, ...device });
  return options.every((option) => changing.has(option) || own(previous, option) === own(device, option));
}
