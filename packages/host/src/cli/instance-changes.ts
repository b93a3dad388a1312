import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, hasStatus } from '../client/client-errors.ts';
import { type EventStream, openEvents } from '../client/events.ts';
import type { LifecycleJson } from '../wire/event.ts';

/** A daemon that restarts is back before this. */
const DAEMON_BACK_MS = 15_000;
const TRY_AGAIN_MS = 200;
const GONE = 410;
const UNAVAILABLE = 503;

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
        const stream = await untilBack(
          () => this.#reopen(),
          () => this.#closed,
        );
        if (stream === null) return;
        this.#stream = stream;
        if (this.#closed) stream.close();
        else yield null;
      }
    }
  }

  /** If the missed events are no longer stored, the next look shows their result. */
  #reopen(): Promise<EventStream> {
    return openEvents(this.#socketPath, ['lifecycle'], this.#position).catch((error) => {
      if (!hasStatus(error, GONE)) throw error;
      return openEvents(this.#socketPath, ['lifecycle'], 'now');
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }
}

/**
 * Asks the daemon again while it cannot be reached: it may be restarting.
 * @returns null if the caller no longer wants the answer
 * @throws the error of the last try, when the daemon has not come back for a while
 */
export async function untilBack<T>(ask: () => Promise<T>, isOver: () => boolean): Promise<T | null> {
  const until = Date.now() + DAEMON_BACK_MS;
  while (!isOver()) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until || !(error instanceof ConnectionError || isEnded(error))) throw error;
    }
    await sleep(TRY_AGAIN_MS);
  }
  return null;
}

/** The daemon has ended a request or a stream, or is about to end. */
function isEnded(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === UNAVAILABLE);
}
