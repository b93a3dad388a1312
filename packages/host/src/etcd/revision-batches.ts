import { Failure } from './failure.ts';
import type { WatchEvent } from './watch-types.ts';

/**
 * A revision with more events is refused. Only the removal of very many keys in one step can make so many: other
 * transactions have at most as many steps as etcd's flag `--max-txn-ops` says, 128 by default.
 */
const EVENTS_MAX = 500_000;

/** Puts together the events of each revision: etcd may spread those of one over several messages. */
export class RevisionBatches {
  readonly #deliver: (events: readonly WatchEvent[], revision: number) => void;
  readonly #eventsMax: number;
  #held: WatchEvent[] = [];

  constructor(
    deliver: (events: readonly WatchEvent[], revision: number) => void,
    eventsMax: number = EVENTS_MAX,
  ) {
    this.#deliver = deliver;
    this.#eventsMax = eventsMax;
  }

  /**
   * Takes the events of a message.
   * @param isFragment the next message has more events of the last revision, or of later ones
   * @throws Failure
   */
  add(events: readonly WatchEvent[], isFragment: boolean): void {
    for (const event of events) {
      if (this.#held[0] && this.#held[0].kv.modRevision !== event.kv.modRevision) this.#flush();
      this.#held.push(event);
      if (this.#held.length > this.#eventsMax)
        throw new Failure('etcd-too-large', `one revision has more than ${this.#eventsMax} events`);
    }
    if (!isFragment) this.#flush();
  }

  #flush(): void {
    const events = this.#held;
    const [first] = events;
    if (!first) return;
    this.#held = [];
    this.#deliver(events, first.kv.modRevision);
  }
}
