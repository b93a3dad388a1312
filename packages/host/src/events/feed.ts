import type { JournalSpan } from '../core/entities.ts';
import type { Position } from '../core/position.ts';

/** The source of events: stored ones by their positions, and new ones. */
export interface EventSource<E> {
  /** The positions after which no event is missing. */
  span(): JournalSpan;
  /** Some of the events after a position, in order. @throws when they cannot be read */
  after(position: number): EventPiece<E>;
  /** Calls `listener` for each new event. @returns the function that ends this */
  follow(listener: (event: E) => void): () => void;
}

export interface EventPiece<E> {
  readonly events: readonly E[];
  /** Of the events up to here, these are all that were asked for. */
  readonly reached: number;
  /** Whether there may be others after these. */
  readonly more: boolean;
}

/** Where the events of one reader go. */
export interface EventReader<E> {
  /** Takes a stored event, in any case. */
  add(event: E): void;
  /** Takes a new event; false when there is no space for it and it was not taken. */
  push(event: E): boolean;
  /** Calls back once, in a later turn, when it has taken everything that it was given. */
  whenTaken(next: () => void): void;
  /** Ends the reader. */
  end(why: FeedEnd): void;
}

export type FeedEnd = 'too-slow' | 'position-lost' | 'unreadable';

/** The common part of the events of both APIs. */
interface Placed {
  readonly sequence: number;
}

/**
 * Feeds one reader. A reader that has given a position first gets the events that it has missed, from the
 * journal: a piece, and the next one when it has taken that, so that stored events need not be held in
 * memory. Then it gets new events. When too many of those wait, it goes back to the journal; a reader without
 * positions is ended.
 *
 * Invariant: events are committed and the journal is read on one thread. A commit is published at once; that of a
 * large change in turns, but to those that follow an instance before another begins to follow it. So a feed that
 * begins to follow when the journal has nothing more gets each later event once. It gives events to the reader in
 * turns, in their order. Events that it got before it went back to the journal are skipped: the journal has them.
 */
export class EventFeed<E extends Placed> {
  readonly #source: EventSource<E>;
  readonly #reader: EventReader<E>;
  readonly #since: Position | undefined;
  readonly #turn: (work: () => void) => void;
  /** Everything up to here was given to the reader, or was not asked for. */
  #position = 0;
  #unfollow: (() => void) | undefined;
  #stopped = false;

  /**
   * @param since undefined for only new events, for a reader without positions
   * @param turn does work at once, or when it is the reader's turn
   */
  constructor(
    source: EventSource<E>,
    reader: EventReader<E>,
    since: Position | undefined,
    turn: (work: () => void) => void = (work) => work(),
  ) {
    this.#source = source;
    this.#reader = reader;
    this.#since = since;
    this.#turn = turn;
  }

  /** Begins with the missed events. */
  start(): void {
    if (typeof this.#since === 'number') {
      this.#position = this.#since;
      this.#turn(this.#replay);
    } else {
      this.#position = this.#source.span().newest;
      this.#follow();
    }
  }

  /** Gives no more events to the reader. */
  stop(): void {
    this.#stopped = true;
    this.#leave();
  }

  readonly #replay = (): void => {
    if (this.#stopped) return;
    const piece = this.#read();
    if (typeof piece === 'string') {
      this.#reader.end(piece);
      return;
    }
    for (const event of piece.events) this.#reader.add(event);
    this.#position = piece.reached;
    if (piece.more) this.#reader.whenTaken(() => this.#turn(this.#replay));
    else this.#follow();
  };

  /** Errors of the journal end only this reader. */
  #read(): EventPiece<E> | FeedEnd {
    try {
      // The journal may have dropped the next events meanwhile.
      if (this.#position < this.#source.span().oldest) return 'position-lost';
      return this.#source.after(this.#position);
    } catch {
      return 'unreadable';
    }
  }

  #follow(): void {
    this.#unfollow = this.#source.follow((event) => this.#turn(() => this.#give(event)));
  }

  #give(event: E): void {
    if (!this.#unfollow || event.sequence <= this.#position) return;
    if (this.#reader.push(event)) {
      this.#position = event.sequence;
      return;
    }
    this.#leave();
    if (this.#since === undefined) this.#reader.end('too-slow');
    else this.#reader.whenTaken(() => this.#turn(this.#replay));
  }

  #leave(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
  }
}
