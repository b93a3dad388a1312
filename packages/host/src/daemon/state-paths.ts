import { chmod, mkdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { within } from '../base/within.ts';
import { directoryError } from '../store/sqlite/directory-errors.ts';

/** Paths below the state directory. */
export const MEMBER_FILE = 'member.pem';

export interface StatePaths {
  readonly lock: string;
  readonly database: string;
  /** A file with the identity of this directory. */
  readonly id: string;
  readonly images: string;
  readonly roots: string;
  readonly instances: string;
  /** Files from which a recovery makes a database when there is no copy. */
  readonly records: string;
  readonly devlxd: string;
  /** Requests of the hooks of other runtimes. */
  readonly hooks: string;
  /** Those of users, in a folder for each. */
  readonly claims: string;
  /** Certificate and key by which other members of a fleet know this host. */
  readonly member: string;
  readonly guestSocket: string;
  readonly hostSocket: string;
}

/** An instance's root must be able to enter every folder above its root filesystem, but not to list it. */
const SEARCHABLE = 0o711;
const PRIVATE = 0o700;
const READABLE = 0o755;

/** A disk that takes longer counts as one that does not answer. */
const WRITE_MS_MAX = 5_000;

/**
 * Makes the state directory and the folders in it, with the modes that they must have.
 * @throws CodedError when it cannot be written to
 */
export async function prepareStateDir(stateDir: string): Promise<StatePaths> {
  const at = (...names: string[]) => join(stateDir, ...names);
  const folders = {
    instances: SEARCHABLE,
    rootfs: SEARCHABLE,
    images: PRIVATE,
    records: PRIVATE,
    hooks: PRIVATE,
    claims: SEARCHABLE,
    devlxd: READABLE,
  };
  try {
    await mkdir(stateDir, { recursive: true, mode: SEARCHABLE });
    await chmod(stateDir, SEARCHABLE);
    for (const [name, mode] of Object.entries(folders)) {
      await mkdir(at(name), { recursive: true });
      await chmod(at(name), mode);
    }
  } catch (error) {
    throw directoryError('directory-unusable', messageOf(error));
  }
  return {
    lock: at('lock'),
    database: at('porthole.db'),
    id: at('id'),
    images: at('images'),
    roots: at('rootfs'),
    instances: at('instances'),
    records: at('records'),
    devlxd: at('devlxd'),
    hooks: at('hooks'),
    claims: at('claims'),
    member: at(MEMBER_FILE),
    guestSocket: at('devlxd', 'sock'),
    hostSocket: at('unix.socket'),
  };
}

/**
 * Why a daemon could not start in the state directory now, although this one runs there; empty when it could.
 */
export async function whyUnwritable({ lock }: Pick<StatePaths, 'lock'>): Promise<string> {
  try {
    if (await within(WRITE_MS_MAX, touch(lock))) return '';
    return directoryError('directory-unusable', 'its disk does not answer').message;
  } catch (error) {
    return directoryError('directory-unusable', messageOf(error)).message;
  }
}

/** Takes no space on the disk, so a full one is not a reason. */
async function touch(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  await utimes(path, atime, mtime);
}
