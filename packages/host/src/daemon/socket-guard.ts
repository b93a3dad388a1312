import { type FSWatcher, type Stats, watch } from 'node:fs';
import { chmod, chown, link, lstat, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { run } from '../process/run.ts';

const SOCKET_MODE = 0o666;
const FOLDER_MODE = 0o755;
const MODE_BITS = 0o7777;
/** The owner that the socket must have: root, except in tests. */
const OWNER = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

/**
 * The socket is checked at least this often, since inotify may not work: its watches are limited, and root of
 * a guest may use them up.
 */
const LOOK_MS = 1_000;
/** The socket is put back at most once in this time, even if it is changed more often. */
const PAUSE_MS = 5;
/** The log has at most one line in this time. */
const LOG_MS = 60_000;

/**
 * Keeps the guest API's socket where all instances see it. Root of a privileged instance can make the shared
 * folder writable for itself, and remove the socket, replace it, or change its mode. With a second name of
 * the socket, outside of that folder, the guard puts it back within milliseconds.
 * @param path of the socket, which exists
 * @returns a function that ends the guard
 */
export async function guardSocket(path: string, log: Log): Promise<() => Promise<void>> {
  const guard = new SocketGuard(path, log);
  try {
    await guard.start();
  } catch (error) {
    log.warn(
      { reason: messageOf(error) },
      'the socket of the guest API could not be put back if it were taken away',
    );
  }
  return () => guard.stop();
}

class SocketGuard {
  readonly #path: string;
  readonly #folder: string;
  /** The second name of the socket; guests cannot reach it. */
  readonly #kept: string;
  readonly #spare: string;
  readonly #log: Log;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #socket: Stats | undefined;
  #checking: Promise<void> | null = null;
  #again = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#folder = dirname(path);
    this.#kept = join(dirname(this.#folder), 'guest.socket');
    this.#spare = `${this.#kept}.new`;
  }

  async start(): Promise<void> {
    for (const name of [this.#kept, this.#spare]) await rm(name, { force: true });
    await link(this.#path, this.#kept);
    this.#socket = await lstat(this.#kept);
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, () => this.#check());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch (error) {
      this.#log.warn(
        { reason: messageOf(error) },
        'the folder of the guest API is looked at every second only',
      );
    }
    this.#timer = setInterval(() => this.#check(), LOOK_MS);
    this.#timer.unref();
    this.#check();
  }

  async stop(): Promise<void> {
    this.#watcher?.close();
    clearInterval(this.#timer);
    this.#again = false;
    await this.#checking;
    await rm(this.#kept, { force: true });
  }

  #check(): void {
    this.#again = true;
    this.#checking ??= this.#checkWhileAsked().finally(() => {
      this.#checking = null;
    });
  }

  async #checkWhileAsked(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        if (await this.#restore()) this.#report();
      } catch (error) {
        this.#log.error({ err: error }, 'the socket of the guest API could not be put back');
      }
      await sleep(PAUSE_MS);
    }
  }

  /** @returns whether anything had to be done */
  async #restore(): Promise<boolean> {
    const done = [await this.#restoreOwners(this.#folder, FOLDER_MODE), await this.#restoreName()];
    return (await this.#restoreOwners(this.#kept, SOCKET_MODE)) || done.includes(true);
  }

  async #restoreOwners(path: string, mode: number): Promise<boolean> {
    const found = await lstat(path);
    if ((found.mode & MODE_BITS) === mode && found.uid === OWNER.uid) return false;
    await chown(path, OWNER.uid, OWNER.gid);
    await chmod(path, mode);
    return true;
  }

  async #restoreName(): Promise<boolean> {
    const found = await lstat(this.#path).catch(() => null);
    if (found?.ino === this.#socket?.ino && found?.dev === this.#socket?.dev) return false;
    await rm(this.#spare, { force: true });
    // Moved in with one rename: a guest that changes the folder meanwhile cannot interfere.
    await link(this.#kept, this.#spare);
    if (found?.isDirectory()) await this.#moveOut();
    await rename(this.#spare, this.#path);
    return true;
  }

  /** A folder is in the way: a guest chose its content, so another program removes it. */
  async #moveOut(): Promise<void> {
    const place = `${this.#kept}.foreign`;
    await run('rm', ['-rf', '--one-file-system', '--', place]);
    await rename(this.#path, place);
    void run('rm', ['-rf', '--one-file-system', '--', place]);
  }

  #report(): void {
    const now = performance.now();
    if (now - this.#toldAt < LOG_MS) return;
    this.#toldAt = now;
    this.#log.warn({}, 'a privileged instance has changed the socket of the guest API: it was put back');
  }
}
