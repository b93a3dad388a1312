import { isRootDisk } from './device-table.ts';
import type { Devices } from './entities.ts';
import { hostError } from './host-errors.ts';
import { own } from './records.ts';
import { ROOT_SIZE_STEP } from './root-size-check.ts';
import { parseBytes } from './units.ts';

/**
 * How many bytes an instance may write into its root; null without a limit.
 * @param devices expanded and checked
 */
export function rootSizeOf(devices: Devices): number | null {
  const text = sizeText(devices);
  if (text === undefined) return null;
  const bytes = parseBytes(text);
  return bytes - (bytes % ROOT_SIZE_STEP);
}

/**
 * Refuses a change of the size that a running instance cannot take: its limit can only grow.
 * @throws CodedError root-size-needs-start
 */
export function refuseLateSize(before: Devices, after: Devices): void {
  const [was, is] = [rootSizeOf(before), rootSizeOf(after)];
  if (was === is) return;
  if (was === null) throw hostError('root-size-needs-start', 'get its first limit');
  if (is === null) throw hostError('root-size-needs-start', 'lose its limit');
  if (is < was)
    throw hostError('root-size-needs-start', `shrink from ${sizeText(before)} to ${sizeText(after)}`);
}

/** How the limit of a running instance's root grows, in bytes; null if it stays. */
export function grownSize(before: Devices, after: Devices): { from: number; to: number } | null {
  const [from, to] = [rootSizeOf(before), rootSizeOf(after)];
  return from !== null && to !== null && to > from ? { from, to } : null;
}

function sizeText(devices: Devices): string | undefined {
  const root = Object.values(devices).find(isRootDisk);
  return (root && own(root, 'size')) || undefined;
}
