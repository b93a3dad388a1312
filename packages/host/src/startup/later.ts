import type { Log } from '../base/log.ts';
import { Places } from '../base/places.ts';
import type { KeyedQueue } from '../model/keyed-queue.ts';

/** How many instances are seen to at the same time: each may cost the host a program or a thread. */
const AT_ONCE = 4;

/** Work on instances that waits until the daemon serves. It holds their queues from the moment it is added. */
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

  /** Settles when it is done; well in any case. */
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

  /** Begins; settles when all of it is done. */
  async begin(): Promise<void> {
    this.#begun.resolve();
    await Promise.all(this.#all);
  }

  /** Begins with nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#begun.resolve();
  }
}

/** One instance's trouble, which may be of its own making, must not keep the daemon from the others. */
export async function guarded(log: Log, instance: number, work: () => Promise<void> | void): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error({ err: error, instance }, 'an instance could not be settled at the start');
  }
}
