import { hostError } from './host-errors.ts';
import type { Check } from './texts.ts';
import { parseBytes } from './units.ts';

const MIB = 2 ** 20;

/** Bytes of a block. Sizes are rounded down to whole blocks of the file system. */
export const ROOT_SIZE_STEP = 4096;
/** Below this, the file system of an image has little room for anything but itself. */
const ROOT_SIZE_MIN = 16 * MIB;
/** An image is one file, and a file of ext4 can have at most 16 TiB. */
const ROOT_SIZE_MAX = 8 * MIB * MIB;

/** Checks the value of `size` of a root disk. @throws CodedError bad-request */
export const checkRootSize: Check = (value) => {
  const bytes = parseBytes(value);
  if (bytes < ROOT_SIZE_MIN) throw hostError('bad-request', 'The size of a root disk is at least 16MiB');
  if (bytes > ROOT_SIZE_MAX) throw hostError('bad-request', 'The size of a root disk is at most 8TiB');
};
