import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../client/client-errors.ts';
import { type EventStream, openEvents } from '../client/events.ts';
import type { LifecycleJson } from '../wire/event.ts';

/** A daemon that restarts is back before this. */
const DAEMON_BACK_MS = 15_000;
const TRY_AGAIN_MS = 200;

/** What happens to instances and profiles, also over a restart of the daemon. Iterate it once. */
export class InstanceChanges {
  readonly #socketPath: string;
  #stream: EventStream;
  #position = 'now';
  #closed = false;

  private constructor(socketPath: string, stream: EventStream) {
    this.#socketPath = socketPath;
    this.#stream = stream;
  }

  /** Nothing that happens after this settles is missed. */
  static async open(socketPath: string): Promise<InstanceChanges> {
    return new InstanceChanges(socketPath, await openEvents(socketPath, ['lifecycle'], 'now'));
  }

  /** Null: the connection was lost and is back, so anything may have happened. Ends after `close`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LifecycleJson | null> {
    while (!this.#closed) {
      try {
        for await (const event of this.#stream) {
          if (event.sequence !== undefined) this.#position = String(event.sequence);
          yield event.metadata as LifecycleJson;
        }
        return;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#stream = await this.#reopen();
        yield null;
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }

  async #reopen(): Promise<EventStream> {
    const until = Date.now() + DAEMON_BACK_MS;
    while (true) {
      try {
        const stream = await openEvents(this.#socketPath, ['lifecycle'], this.#position);
        if (this.#closed) stream.close();
        return stream;
      } catch (error) {
        if (this.#closed || Date.now() > until) throw error;
        await sleep(TRY_AGAIN_MS);
      }
    }
  }
}
