import type { EventPage, StoredEvent } from '../core/model.ts';
import type { Position } from '../core/position.ts';
import type { Turn } from '../http/fair-turns.ts';
import type { GuestBackend } from './backend.ts';
import type { EventQueue } from './event-queue.ts';
import { eventBytes, numberedEventBytes } from './event-text.ts';
import { READ_PIECE } from './limits.ts';

/** What the events come from. */
export type EventSource = Pick<GuestBackend, 'subscribe' | 'eventsAfter' | 'journalSpan'>;

/** What one reader wants. */
export interface EventWish {
  readonly instanceId: number;
  readonly types: ReadonlySet<string>;
  /** Undefined: from now on, in LXD's form. */
  readonly since: Position | undefined;
  /** Does work when it is the turn of the reader's instance. */
  readonly turn: Turn;
}

/**
 * Feeds the queue of one reader. One that has given a position first gets what it has missed, from the journal: a
 * batch, and the next one when it has taken that, so that nobody has to hold the past in memory; then what
 * happens. When too much of that waits, it goes back to the journal, whereas a reader without positions is ended.
 *
 * Invariant: events are committed and the journal is read on one thread, and a commit is told at once. So a feed that
 * subscribes in the moment in which the journal had nothing more is told each later event once. It writes them in
 * turns of its instance, in their order; those that it has been told before it went back to the journal it leaves to
 * that.
 */
export class EventFeed {
  private readonly source: EventSource;
  private readonly wish: EventWish;
  private readonly queue: EventQueue;
  /** Everything up to here has been queued, or was not asked for. */
  private position: number;
  private unsubscribe = (): void => {};
  private following = false;
  private stopped = false;

  constructor(source: EventSource, wish: EventWish, queue: EventQueue) {
    this.source = source;
    this.wish = wish;
    this.queue = queue;
    this.position = typeof wish.since === 'number' ? wish.since : 0;
  }

  /** Begins; what there is to replay is queued from now on. */
  start(): void {
    if (typeof this.wish.since === 'number') this.wish.turn(this.replay);
    else {
      this.position = this.source.journalSpan(this.wish.instanceId).newest;
      this.follow();
    }
  }

  /** Nothing is queued any more. */
  stop(): void {
    this.stopped = true;
    this.unfollow();
  }

  private readonly replay = (): void => {
    if (this.stopped) return;
    const { instanceId } = this.wish;
    // Meanwhile the journal may have dropped what comes next.
    if (this.position < this.source.journalSpan(instanceId).oldest) {
      this.queue.end('position-lost');
      return;
    }
    const page = this.read();
    if (page === undefined) return;
    for (const event of page.events) this.queue.add(numberedEventBytes(event));
    this.position = page.reached;
    if (page.more) this.queue.whenTaken(() => this.wish.turn(this.replay));
    else this.follow();
  };

  /** A journal that cannot be read is this reader's end, and nobody else's. */
  private read(): EventPage | undefined {
    const { instanceId, types } = this.wish;
    try {
      return this.source.eventsAfter({ instanceId, after: this.position, types, ...READ_PIECE });
    } catch {
      this.queue.end('position-lost');
      return undefined;
    }
  }

  private follow(): void {
    const { instanceId, types, turn } = this.wish;
    this.following = true;
    this.unsubscribe = this.source.subscribe(instanceId, (event) => {
      if (types.has(event.type)) turn(() => this.tell(event));
    });
  }

  private tell(event: StoredEvent): void {
    if (!this.following || event.sequence <= this.position) return;
    const { since, turn } = this.wish;
    if (this.queue.push(since === undefined ? eventBytes(event) : numberedEventBytes(event))) {
      this.position = event.sequence;
      return;
    }
    this.unfollow();
    if (since === undefined) this.queue.end('too-slow');
    else this.queue.whenTaken(() => turn(this.replay));
  }

  private unfollow(): void {
    this.following = false;
    this.unsubscribe();
  }
}
