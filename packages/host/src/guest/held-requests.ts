import { Quota } from '../base/quota.ts';
import type { Turn } from '../http/fair-turns.ts';
import type { HeldReply, Reply, TextReply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { textError } from './guest-errors.ts';
import type { GuestReply, WaitReply } from './reply.ts';

/** A request that waits for another view of its instance. */
export interface Waiting {
  readonly instanceId: number;
  /** Does work when it is the turn of the instance. */
  readonly turn: Turn;
  /** Decides on the request again. */
  readonly decide: () => GuestReply;
  /** Carries out a decision. */
  readonly perform: (reply: GuestReply) => Reply | Promise<Reply>;
}

const MS_PER_SECOND = 1000;

/** Requests that are held until the value that they know has changed. */
export class HeldRequests {
  readonly #backend: Pick<GuestBackend, 'watchView'>;
  readonly #open: Quota;

  /** @param max requests of one instance at a time */
  constructor(backend: Pick<GuestBackend, 'watchView'>, max: number) {
    this.#backend = backend;
    this.#open = new Quota(max);
  }

  /** Holds a request until its answer would be different, its time is over, or it is released. */
  hold({ seconds, etag }: WaitReply, { instanceId, turn, decide, perform }: Waiting): HeldReply | TextReply {
    if (!this.#open.take(instanceId)) return textError('too-many-held');
    const over = Promise.withResolvers<void>();
    const look = () => void (decide().kind === 'wait' || over.resolve());
    const unwatch = this.#backend.watchView(instanceId, () => turn(look));
    const timer = setTimeout(over.resolve, seconds * MS_PER_SECOND);
    const answer = over.promise.then(() => {
      unwatch();
      clearTimeout(timer);
      this.#open.give(instanceId);
      const reply = decide();
      return perform(reply.kind === 'wait' ? { kind: 'not-modified', etag } : reply);
    });
    return { kind: 'held', answer, release: over.resolve };
  }
}
