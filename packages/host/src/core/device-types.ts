import type { Device } from './entities.ts';
import { own } from './records.ts';

/**
 * The types of device that Porthole offers, sorted. Everything that depends on the type is in tables with one
 * row for each: the options in `core/device-table.ts`, the actions of a runtime in `runtimes`.
 */
export const DEVICE_TYPE_NAMES = ['disk', 'nic', 'none', 'unix-char'] as const;

/** A table with one row for each type. */
export type ByDeviceType<T> = Readonly<Record<(typeof DEVICE_TYPE_NAMES)[number], T>>;

/** The row for a device; undefined if its type is unknown. */
export function rowFor<T>(table: ByDeviceType<T>, device: Device): T | undefined {
  return own<T>(table, own(device, 'type') ?? '');
}
