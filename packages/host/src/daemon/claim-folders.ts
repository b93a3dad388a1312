import { chmod, mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { run } from '../process/run.ts';
import { readMounts } from '../runtimes/kernel/mountinfo.ts';

/**
 * Each is a small file system in memory, so that files of users cannot fill the disk. 64 containers, as many as a user
 * may have, need two files each, and 32 KiB at most. Others may add files, and see and remove only their own.
 */
const OPTIONS = 'size=2m,nr_inodes=256,mode=1733,nosuid,nodev,noexec';
const SOURCE = 'porthole-claims';

/** While nothing is mounted: hooks see that the user is allowed, and that no daemon runs. */
const UNMOUNTED = 0o711;
/** Of a user who may ask no more. */
const CLOSED = 0o700;

/** A mount is made and removed at once; the parent folder is the daemon's own. */
const TIMEOUT_MS = 10_000;

/** The folders into which users of the host put the requests of their containers' hooks. */
export class ClaimFolders {
  readonly #claims: string;
  readonly #log: Log;
  readonly #open = new Map<number, string>();

  /** @param claims folder of the folders */
  constructor(claims: string, log: Log) {
    this.#claims = claims;
    this.#log = log;
  }

  /**
   * Makes a folder for each user. It is root's, so that no user can mount something there. What a daemon that was
   * killed has mounted goes on, with the requests in it. @returns the folders by user
   */
  async open(uids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const claims = await realpath(this.#claims);
    const mounted = await mountPoints();
    const wanted = new Set(uids.map(String));
    for (const name of await readdir(claims)) {
      if (wanted.has(name)) continue;
      const path = join(claims, name);
      if (mounted.has(path)) await this.#change('umount', ['--lazy', path]);
      await chmod(path, CLOSED);
    }
    for (const uid of uids) {
      const path = join(claims, String(uid));
      if (mounted.has(path) || (await this.#mount(path))) this.#open.set(uid, path);
    }
    return this.#open;
  }

  /**
   * Unmounts the folders without requests; the next daemon carries out those that are left.
   * @param isUsed whether a user has containers that run: their Podman may have mounts of its own, in which the folder
   *   would stay what it was, and not become that of the next daemon
   */
  async close(isUsed: (uid: number) => boolean): Promise<void> {
    for (const [uid, path] of this.#open)
      if (!isUsed(uid) && (await readdir(path)).length === 0) await this.#change('umount', [path]);
  }

  async #mount(path: string): Promise<boolean> {
    await mkdir(path, { recursive: true });
    await chmod(path, UNMOUNTED);
    return this.#change('mount', ['-t', 'tmpfs', '-o', OPTIONS, SOURCE, path]);
  }

  async #change(command: string, args: readonly string[]): Promise<boolean> {
    const { ok, failure } = await run(command, args, { timeoutMs: TIMEOUT_MS, cwd: '/' });
    if (!ok)
      this.#log.error({ reason: failure }, "the folder of a user's requests cannot be mounted or unmounted");
    return ok;
  }
}

/** @throws Error if the mounts of the host cannot be read: then a second mount could cover the first */
async function mountPoints(): Promise<ReadonlySet<string>> {
  const mounts = await readMounts('self');
  if (mounts === null) throw new Error('the mounts of the host cannot be read');
  return new Set(mounts.map(({ point }) => point));
}
