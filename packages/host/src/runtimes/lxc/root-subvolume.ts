import { lstat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hostError } from '../../core/host-errors.ts';
import { type Finished, run } from '../../process/run.ts';

/** Limit for a command: a commit of a busy file system may take long. */
const TIMEOUT_MS = 60_000;
const BTRFS_MAGIC = 0x9123683e;
/** The inode number of the first folder of every subvolume. */
const SUBVOLUME_INODE = 256;

/** What a subvolume holds, and its limit. */
export interface Quota {
  readonly used: number;
  /** null: it has none. */
  readonly limit: number | null;
}

/** Whether a folder is a subvolume of btrfs. */
export async function isSubvolume(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  return found?.ino === SUBVOLUME_INODE && (await isBtrfs(dirname(folder)));
}

/** Whether a folder is on btrfs that counts what each subvolume holds. */
export async function hasQuotas(folder: string): Promise<boolean> {
  return (await isBtrfs(folder)) && (await btrfs('qgroup', 'show', '--raw', folder)).ok;
}

async function isBtrfs(folder: string): Promise<boolean> {
  return (await statfs(folder)).type === BTRFS_MAGIC;
}

/** Makes an empty subvolume. @throws CodedError root-failed */
export async function makeSubvolume(path: string): Promise<void> {
  checked(await btrfs('subvolume', 'create', path));
}

/** Removes a subvolume with all that is in it. @throws CodedError root-failed */
export async function removeSubvolume(path: string): Promise<void> {
  checked(await btrfs('subvolume', 'delete', path));
}

/** Sets how much a subvolume can hold. @param bytes null: no limit @throws CodedError root-failed */
export async function limitSubvolume(path: string, bytes: number | null): Promise<void> {
  checked(await btrfs('qgroup', 'limit', bytes === null ? 'none' : `${bytes}`, path));
}

/**
 * What a subvolume holds; null if that is not known.
 * @param fresh waits until the latest changes are counted
 */
export async function readQuota(path: string, fresh = false): Promise<Quota | null> {
  const shown = await btrfs('qgroup', 'show', ...(fresh ? ['--sync'] : []), '--raw', '-f', '-r', path);
  return shown.ok ? parseQuota(shown.stdout) : null;
}

/** Reads what `btrfs qgroup show --raw -f -r` prints: two lines of heading, then one for the subvolume. */
export function parseQuota(text: string): Quota | null {
  const [, used, limit] = /^\d+\/\d+ +(\d+) +\d+ +(\d+|none)/m.exec(text) ?? [];
  if (used === undefined) return null;
  return { used: Number(used), limit: limit === 'none' ? null : Number(limit) };
}

function btrfs(...args: readonly string[]): Promise<Finished> {
  return run('setpriv', ['--pdeathsig=KILL', '--', 'btrfs', ...args], { timeoutMs: TIMEOUT_MS, cwd: '/' });
}

function checked({ ok, failure }: Finished): void {
  if (!ok) throw hostError('root-failed', failure);
}
