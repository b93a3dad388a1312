import { chmod, mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { run } from '../process/run.ts';
import { readMounts } from '../runtimes/kernel/mountinfo.ts';

/**
 * Each folder is a small file system in memory, so that files of users cannot fill the disk. A user may have 64
 * containers. Each needs two files, with 32 KiB at most. Other users may add files, but not list them, and they may
 * remove only their own.
 */
const OPTIONS = 'size=2m,nr_inodes=256,mode=1733,nosuid,nodev,noexec';
const SOURCE = 'porthole-claims';

/** The mode while nothing is mounted. It tells hooks that root allows the user, and that no daemon runs. */
const UNMOUNTED = 0o711;
/** The mode of the folder of a user whom root no longer allows. */
const CLOSED = 0o700;

/** Mounting takes milliseconds, because the parent folder is the daemon's own. */
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
   * Makes a folder for each user, into which that user can put files. It belongs to root, so that no user can mount a
   * file system there. A folder that an earlier daemon has left mounted is used again, with the requests in it. The
   * folders of users whom root no longer allows are closed.
   * @returns the folders by user
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
   * Unmounts the folders without requests. The next daemon carries out the requests in the others.
   * @param isUsed whether a user has running containers. Their Podman may have mounts of its own, and would continue to
   *   see this folder instead of the next daemon's
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

/** @throws Error if the mounts of the host cannot be read, because a second mount could then cover the first */
async function mountPoints(): Promise<ReadonlySet<string>> {
  const mounts = await readMounts('self');
  if (mounts === null) throw new Error('the mounts of the host cannot be read');
  return new Set(mounts.map(({ point }) => point));
}
