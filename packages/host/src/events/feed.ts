import type { JournalSpan } from '../core/entities.ts';
import type { Position } from '../core/position.ts';

/** Where events come from: those of the past by their positions, and those that happen. */
export interface EventSource<E> {
  /** Which positions have missed nothing. */
  span(): JournalSpan;
  /** Some of the events after a position, in order. @throws when they cannot be read */
  after(position: number): EventPiece<E>;
  /** Calls back for each event that happens from now on. @returns the function that ends it */
  follow(listener: (event: E) => void): () => void;
}

export interface EventPiece<E> {
  readonly events: readonly E[];
  /** All events up to here are among these, or are none that was asked for. */
  readonly reached: number;
  /** Whether there may be others behind these. */
  readonly more: boolean;
}

/** Where the events of one reader go. */
export interface EventReader<E> {
  /** Takes an event of the past, in any case. */
  add(event: E): void;
  /** Takes one that has just happened; false when there is no room for it, and it has not been taken. */
  push(event: E): boolean;
  /** Calls back once, in a later turn, when it has taken all that it was given. */
  whenTaken(next: () => void): void;
  /** Ends it. */
  end(why: FeedEnd): void;
}

export type FeedEnd = 'too-slow' | 'position-lost' | 'unreadable';

/** What both APIs' streams have in common. */
interface Placed {
  readonly sequence: number;
}

/**
 * Feeds one reader. One that has given a position first gets what it has missed, from the journal: a piece, and the
 * next one when it has taken that, so that nobody has to hold the past in memory; then what happens. When too much of
 * that waits, it goes back to the journal, whereas a reader without positions is ended.
 *
 * Invariant: events are committed and the journal is read on one thread, and a commit is told at once. So a feed that
 * begins to follow in the moment in which the journal had nothing more is told each later event once. It gives them
 * away in turns, in their order; those that it has been told before it went back to the journal it leaves to that.
 */
export class EventFeed<E extends Placed> {
  readonly #source: EventSource<E>;
  readonly #reader: EventReader<E>;
  readonly #since: Position | undefined;
  readonly #turn: (work: () => void) => void;
  /** Everything up to here has been given to the reader, or was not asked for. */
  #position = 0;
  #unfollow: (() => void) | undefined;
  #stopped = false;

  /**
   * @param since undefined: from now on, for a reader that knows no positions
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

  /** Begins with what has been missed. */
  start(): void {
    if (typeof this.#since === 'number') {
      this.#position = this.#since;
      this.#turn(this.#replay);
    } else {
      this.#position = this.#source.span().newest;
      this.#follow();
    }
  }

  /** The reader is given nothing any more. */
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

  /** A journal that cannot be read is this reader's end, and nobody else's. */
  #read(): EventPiece<E> | FeedEnd {
    try {
      // Meanwhile the journal may have dropped what comes next.
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
