import { checked, declare } from './libc.ts';

const closeRange = declare('long syscall(long number, uint first, uint last, uint flags)');

/** System call number, the same on x86-64 and arm64; the flag needs Linux 5.11. */
const CLOSE_RANGE = 436;
const CLOSE_RANGE_CLOEXEC = 4;

const FIRST_BESIDES_STANDARD = 3;
const LAST = 0xffff_ffff;

/**
 * Closes all open descriptors but the standard ones in programs that are started later; close_range(2). Node
 * does so only for the first few descriptors that it was started with.
 */
export function keepDescriptors(): void {
  checked('close_range', closeRange(CLOSE_RANGE, FIRST_BESIDES_STANDARD, LAST, CLOSE_RANGE_CLOEXEC));
}
