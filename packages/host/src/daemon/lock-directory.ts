import { setTimeout as wait } from 'node:timers/promises';
import { CodedError } from '../base/coded-error.ts';
import { lockFile } from '../native/lock.ts';

/** A hook that looks whether a daemon runs takes the lock for a moment (bin/hook.sh). */
const LOCK_TRIES = 10;
const LOCK_TRY_MS = 20;

/**
 * Takes the lock of a state directory for this process.
 * @param inherited descriptor that has the lock already
 * @returns the descriptor
 * @throws CodedError locked, if a daemon has it
 */
export async function lockDirectory(path: string, inherited?: number): Promise<number> {
  for (let tries = 1; ; tries++) {
    const held = lockFile(path, inherited);
    if ('fd' in held) return held.fd;
    const message = `Another Porthole daemon (pid ${held.heldBy}) has this state directory: ${path}`;
    if (tries === LOCK_TRIES) throw new CodedError('locked', 409, message);
    await wait(LOCK_TRY_MS);
  }
}
