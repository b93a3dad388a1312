import { checked, declare } from './libc.ts';

const closeRange = declare('long syscall(long number, uint first, uint last, uint flags)');

/** System call number, the same on x86-64 and arm64; the flag is of Linux 5.11. */
const CLOSE_RANGE = 436;
const CLOSE_RANGE_CLOEXEC = 4;

const FIRST_BESIDES_STANDARD = 3;
const LAST = 0xffff_ffff;

/**
 * Keeps all open descriptors but the standard ones from programs that are started from now on; close_range(2).
 * Node does so for the first few that it was started with, not for all of them.
 */
export function keepDescriptors(): void {
  checked('close_range', closeRange(CLOSE_RANGE, FIRST_BESIDES_STANDARD, LAST, CLOSE_RANGE_CLOEXEC));
}
