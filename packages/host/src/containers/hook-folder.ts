import { constants, type FSWatcher, watch } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Needs } from '../instances/needs.ts';
import { type HookRequest, parseHookRequest } from './hook-request.ts';

const REQUEST = '.request';
const REPLY = '.reply';
const OK = 'ok';
/** The state of a container with its annotations. */
const REQUEST_MAX_BYTES = 1024 * 1024;
/** As many requests are worked on at once; more wait in the folder. */
const AT_ONCE = 16;
/** The folder is read again after this time, in case the kernel has lost a notification. */
const LOOK_MS = 2_000;
/** A hook has written its request by then, or never will. */
const WRITTEN_MS_MAX = 60_000;
/** A hook that waits opens its pipe again and again; one that has given up removes it. */
const REPLY_TRIES = 40;
const REPLY_TRY_MS = 25;

/**
 * The folder in which hooks leave their requests, and wait for the answers at a named pipe. Hooks are shell
 * scripts: a start of Node would take several times as long as all of their work. Only root can enter the folder.
 * A request that is left while no daemon runs is carried out by the next one.
 */
export class HookFolder {
  readonly #path: string;
  readonly #perform: (request: HookRequest) => Promise<void>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Requests that were carried out, but cannot be removed. */
  readonly #done = new Set<string>();
  /** Names of the requests that are being carried out. */
  readonly #busy = new Map<string, Promise<void>>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  /** @param perform throws an error whose message is the hook's answer */
  constructor(
    path: string,
    perform: (request: HookRequest) => Promise<void>,
    { clock, log }: Needs<'clock' | 'log'>,
  ) {
    this.#path = path;
    this.#perform = perform;
    this.#clock = clock;
    this.#log = log;
  }

  /** Begins to take requests. @returns settles when those that were there are carried out */
  async begin(): Promise<void> {
    this.#watcher = watch(this.#path, () => this.#look());
    this.#watcher.on('error', (error) =>
      this.#log.error({ err: error }, 'the folder of hooks is not watched'),
    );
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    await this.#removePipes();
    for (;;) {
      await this.#read();
      if (this.#busy.size === 0) return;
      await Promise.race(this.#busy.values());
    }
  }

  /** Takes no further requests. @returns settles when those that are being carried out are answered */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watcher?.close();
    clearInterval(this.#timer);
    await this.#reading;
    await Promise.all(this.#busy.values());
  }

  /** Removes the pipes of hooks that were killed: each pipe has a request beside it otherwise. */
  async #removePipes(): Promise<void> {
    const names = new Set(await readdir(this.#path));
    for (const name of names) {
      if (!name.endsWith(REPLY) || names.has(`${name.slice(0, -REPLY.length)}${REQUEST}`)) continue;
      const path = join(this.#path, name);
      const { mtimeMs } = await stat(path);
      if (this.#clock.now().getTime() - mtimeMs > WRITTEN_MS_MAX) await rm(path, { force: true });
    }
  }

  #look(): void {
    void this.#read().catch((error) => this.#log.error({ err: error }, 'the folder of hooks cannot be read'));
  }

  /** Only one reading at a time; a notification in between makes another one follow. */
  #read(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      const names = (await readdir(this.#path)).filter((name) => name.endsWith(REQUEST));
      for (const name of names) {
        if (this.#busy.size >= AT_ONCE) break;
        if (!this.#busy.has(name)) this.#start(name);
      }
    }
  }

  #start(name: string): void {
    const work = this.#answer(name).then(
      () => this.#look(),
      // It is tried again at the next look.
      (error) => this.#log.error({ err: error, name }, 'the request of a hook cannot be removed'),
    );
    this.#busy.set(
      name,
      work.finally(() => this.#busy.delete(name)),
    );
  }

  async #answer(name: string): Promise<void> {
    const path = join(this.#path, name);
    const pipe = `${path.slice(0, -REQUEST.length)}${REPLY}`;
    if (!this.#done.has(name)) {
      const answer = await this.#carryOut(path);
      if (answer === null) return;
      this.#done.add(name);
      await this.#reply(pipe, answer);
    }
    await rm(path, { force: true });
    await rm(pipe, { force: true });
    this.#done.delete(name);
  }

  /** @returns the answer; null if the request is gone, or not all there yet */
  async #carryOut(path: string): Promise<string | null> {
    try {
      const { size, mtimeMs } = await stat(path);
      if (size > REQUEST_MAX_BYTES) throw new Error('the state of the container is too large');
      const request = parseHookRequest(await readFile(path, 'utf8'));
      if (request === null && this.#clock.now().getTime() - mtimeMs > WRITTEN_MS_MAX)
        throw new Error('its hook was killed');
      if (request === null) return null;
      await this.#perform(request);
      return OK;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      this.#log.warn({ reason: messageOf(error) }, 'a container was not adopted');
      return messageOf(error).replaceAll('\n', ' ');
    }
  }

  /** Writes into the pipe of a hook. A hook that is gone gets no answer. */
  async #reply(pipe: string, answer: string): Promise<void> {
    for (let tries = 0; tries < REPLY_TRIES && !this.#stopped; tries++) {
      try {
        await using file = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
        await file.writeFile(`${answer}\n`);
        return;
      } catch (error) {
        // ENXIO: nobody reads at this moment.
        if ((error as NodeJS.ErrnoException).code !== 'ENXIO') return;
        await wait(REPLY_TRY_MS);
      }
    }
  }
}
