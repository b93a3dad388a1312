import { constants, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, opendir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { RepeatedWork } from '../base/repeated-work.ts';
import type { Needs } from '../instances/needs.ts';
import { type HookRequest, parseHookRequest } from './hook-request.ts';

const REQUEST = '.request';
const REPLY = '.reply';
const OK = 'ok';
/** The daemon looks at so many files of a folder and no more, because a user can make any number. */
const FILES_MAX = 1000;
/** A request has the container's annotations. A user's request is limited by the time that it costs the main thread. */
const REQUEST_MAX_BYTES = { root: 1024 * 1024, user: 32 * 1024 };
/** Requests that are carried out at the same time; others wait in the folder. For a user it is one at each look. */
const AT_ONCE = { root: 16, user: 1 };
/** A hook that has not written its whole request by then was killed. */
const WRITTEN_MS_MAX = 60_000;
/** A hook that waits opens its pipe again and again. A hook that no longer waits has removed its pipe. */
const REPLY_TRIES = 40;
const REPLY_TRY_MS = 25;

/** A folder, and the user whose requests it takes. */
export interface FolderOf {
  readonly path: string;
  /** Only root can write into root's folder. Every user of the host can put files into a user's folder. */
  readonly kind: 'root' | 'user';
  /** The owner of the files that are read; other files are ignored. */
  readonly uid: number;
  /** Opens a file in the folder. In a user's folder, a file system that never answers may be mounted on the file. */
  readonly open: (path: string, flags: number) => Promise<FileHandle>;
  /** How often the folder is read; a folder that only root can write is also watched. */
  readonly everyMs: number;
}

/**
 * A folder in which hooks leave their requests. They wait for the answers at named pipes. A hook is a shell script
 * (`bin/hook.sh`). If no daemon runs, the next one carries out the request.
 */
export class HookFolder {
  readonly #of: FolderOf;
  readonly #path: string;
  readonly #perform: (request: HookRequest) => Promise<void>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Names of requests that were carried out, but could not be removed. */
  readonly #done = new Set<string>();
  /** Names at which there was nothing to carry out, such as a link. They come after all others. */
  #passed = new Set<string>();
  /** Names of the requests that are being carried out. */
  readonly #busy = new Map<string, Promise<void>>();
  /** A notification during a reading causes another reading after it. */
  readonly #reading = new RepeatedWork(() => this.#readAll());
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #carriedOut = 0;
  #stopped = false;

  /** @param perform carries out a request; if it throws, the message of the error is the hook's answer */
  constructor(
    of: FolderOf,
    perform: (request: HookRequest) => Promise<void>,
    { clock, log }: Needs<'clock' | 'log'>,
  ) {
    this.#of = of;
    this.#path = of.path;
    this.#perform = perform;
    this.#clock = clock;
    this.#log = log;
  }

  /** Logs a warning about root's folder. A user could repeat the cause and fill the log, so it is only debug then. */
  #warn(details: object, text: string): void {
    this.#log[this.#of.kind === 'root' ? 'warn' : 'debug'](details, text);
  }

  /** Begins to take requests. @returns settles when the requests that were already there are carried out */
  async begin(): Promise<void> {
    if (this.#of.kind === 'root') this.#watch();
    this.#timer = setInterval(() => this.#look(), this.#of.everyMs).unref();
    await this.#removePipes();
    let before: number;
    do {
      before = this.#carriedOut;
      await this.#reading.run();
      await Promise.all(this.#busy.values());
    } while (this.#carriedOut > before && this.#of.kind === 'root');
  }

  /** Stops taking requests. @returns settles when the requests in progress are answered */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watcher?.close();
    clearInterval(this.#timer);
    await this.#reading.end();
    await Promise.all(this.#busy.values());
  }

  #watch(): void {
    this.#watcher = watch(this.#path, () => this.#look());
    this.#watcher.on('error', (error) =>
      this.#log.error({ err: error }, 'the folder of hooks is not watched'),
    );
  }

  /** Removes the pipes of hooks that were killed. The pipe of a hook that waits has a request beside it. */
  async #removePipes(): Promise<void> {
    const names = new Set(await this.#names());
    for (const name of names) {
      if (!name.endsWith(REPLY) || names.has(`${name.slice(0, -REPLY.length)}${REQUEST}`)) continue;
      const path = join(this.#path, name);
      const isOld = this.#clock.now().getTime() - (await this.#modifiedMs(path)) > WRITTEN_MS_MAX;
      if (isOld) await remove(path).catch(() => {});
    }
  }

  /** Infinite for what is no named pipe. */
  async #modifiedMs(path: string): Promise<number> {
    try {
      await using file = await this.#of.open(
        path,
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      const found = await file.stat();
      return found.isFIFO() ? found.mtimeMs : Number.POSITIVE_INFINITY;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  #look(): void {
    void this.#reading
      .run()
      .catch((error) => this.#warn({ reason: messageOf(error) }, 'a folder of hooks cannot be read'));
  }

  async #readAll(): Promise<void> {
    const names = (await this.#names()).filter((each) => each.endsWith(REQUEST));
    const others = names.filter((name) => !this.#passed.has(name));
    this.#passed = new Set(others.length > 0 ? names.filter((name) => this.#passed.has(name)) : []);
    for (const name of others.length > 0 ? others : names) {
      if (this.#busy.size >= AT_ONCE[this.#of.kind]) break;
      if (!this.#busy.has(name)) this.#start(name);
    }
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of await opendir(this.#path)) {
      if (names.push(name) >= FILES_MAX) break;
    }
    return names;
  }

  #start(name: string): void {
    const work = this.#answer(name).then(
      (isDone) => {
        this.#busy.delete(name);
        if (!isDone) this.#passed.add(name);
        if (!isDone) return;
        this.#carriedOut++;
        // Others may wait in the folder. Those of a user wait until the next look.
        if (this.#of.kind === 'root') this.#look();
      },
      (error) => {
        this.#busy.delete(name);
        // The next look tries again.
        this.#warn({ reason: messageOf(error), name }, 'the request of a hook cannot be removed');
      },
    );
    this.#busy.set(name, work);
  }

  /** Carries out a request, answers its hook and removes it. @returns false if there is nothing to carry out yet */
  async #answer(name: string): Promise<boolean> {
    const path = join(this.#path, name);
    const pipe = `${path.slice(0, -REQUEST.length)}${REPLY}`;
    if (!this.#done.has(name)) {
      const answer = await this.#carryOut(path);
      if (answer === null) return false;
      this.#done.add(name);
      await this.#reply(pipe, answer);
    }
    // The request is removed last. If the daemon is killed before that, the next daemon removes it.
    await remove(pipe).catch(() => {});
    await remove(path);
    this.#done.delete(name);
    return true;
  }

  /** @returns the answer; null if the request is gone or not complete yet */
  async #carryOut(path: string): Promise<string | null> {
    try {
      const file = await this.#fileAt(path);
      if (file === null) return null;
      const request = parseHookRequest(file.text);
      const isLost = request === null && this.#clock.now().getTime() - file.mtimeMs > WRITTEN_MS_MAX;
      if (isLost) throw new Error('its hook was killed');
      if (request === null) return null;
      await this.#perform(request);
      return OK;
    } catch (error) {
      if (['ENOENT', 'ELOOP', 'EISDIR', 'EXDEV'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return null;
      this.#warn({ reason: messageOf(error) }, 'a container was not adopted');
      return messageOf(error).replaceAll('\n', ' ');
    }
  }

  /** Reads a request; null if it is not a plain file of the folder's user. Files of other users are removed. */
  async #fileAt(path: string): Promise<{ text: string; mtimeMs: number } | null> {
    await using file = await this.#of.open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    const found = await file.stat();
    if (!found.isFile()) return null;
    if (found.uid !== this.#of.uid) await remove(path);
    if (found.uid !== this.#of.uid) return null;
    if (found.size > REQUEST_MAX_BYTES[this.#of.kind])
      throw new Error('the state of the container is too large');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(found.size), 0, found.size, 0);
    return { text: buffer.toString('utf8', 0, bytesRead), mtimeMs: found.mtimeMs };
  }

  /** Writes into the pipe of a hook. A hook that is gone gets no answer. */
  async #reply(pipe: string, answer: string): Promise<void> {
    for (let tries = 0; tries < REPLY_TRIES && !this.#stopped; tries++) {
      try {
        const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
        await using file = await this.#of.open(pipe, flags);
        if ((await file.stat()).isFIFO()) await file.write(`${answer}\n`);
        return;
      } catch (error) {
        // ENXIO: no process reads the pipe at this moment.
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') return;
        await wait(REPLY_TRY_MS);
      }
    }
  }
}

/** Removes a file if it is there. It does not look at the file first, because something may be mounted on it. */
async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
