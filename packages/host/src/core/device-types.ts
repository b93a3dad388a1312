import type { Device } from './entities.ts';
import { own } from './records.ts';

/**
 * The types of device that Porthole has, sorted. All that depends on the type is in tables with a row for each: its
 * options in `core/device-table.ts`, what a runtime does with it in `runtimes`. What is offered follows from this list.
 */
export const DEVICE_TYPE_NAMES = ['disk', 'nic', 'none', 'unix-char'] as const;

/** A table with a row for each type. */
export type ByDeviceType<T> = Readonly<Record<(typeof DEVICE_TYPE_NAMES)[number], T>>;

/** The row for a device; undefined when there is no type of its name. */
export function rowFor<T>(table: ByDeviceType<T>, device: Device): T | undefined {
  return own<T>(table, own(device, 'type') ?? '');
}
