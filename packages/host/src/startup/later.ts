import type { Log } from '../base/log.ts';
import { Places } from '../base/places.ts';
import type { KeyedQueue } from '../model/keyed-queue.ts';

/** How many instances are worked on at the same time: each may take a program or a thread of the host. */
const AT_ONCE = 4;

/** Work on instances that waits until the daemon serves, and blocks their queues until it is done. */
export class Later {
  readonly #queue: KeyedQueue<number>;
  readonly #log: Log;
  readonly #begun = Promise.withResolvers<void>();
  readonly #places = new Places(AT_ONCE);
  readonly #all: Promise<void>[] = [];
  #stopped = false;

  constructor(queue: KeyedQueue<number>, log: Log) {
    this.#queue = queue;
    this.#log = log;
  }

  /** Adds work on an instance. @returns resolves when the work is done, has failed, or was given up */
  add(instanceId: number, work: () => Promise<void>): Promise<void> {
    const mine = this.#queue.run(instanceId, 'recover', async () => {
      await this.#begun.promise;
      await this.#places.use(async () => {
        if (!this.#stopped) await guarded(this.#log, instanceId, work);
      });
    });
    this.#all.push(mine);
    return mine;
  }

  /** Begins the work; resolves when all of it is done. */
  async begin(): Promise<void> {
    this.#begun.resolve();
    await Promise.all(this.#all);
  }

  /** Begins no more work. */
  stop(): void {
    this.#stopped = true;
    this.#begun.resolve();
  }
}

/**
 * Runs work on one instance and logs a failure, since one instance must not harm the others.
 * @returns whether the work is done
 */
export async function guarded(
  log: Log,
  instance: number,
  work: () => Promise<void> | void,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    log.error({ err: error, instance }, 'an instance could not be settled at the start');
    return false;
  }
}
