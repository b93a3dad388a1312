import { beforeEach, describe, expect, it } from 'vitest';
import type { Position } from '../core/position.ts';
import { EventFeed, type FeedEnd } from './feed.ts';

/** Events in a piece. */
const PIECE = 2;

interface Numbered {
  readonly sequence: number;
}

/** A journal whose events are numbered from 1, and its followers. */
class Journal {
  oldest = 0;
  newest = 0;
  broken = false;
  readonly followers = new Set<(event: Numbered) => void>();

  span = () => ({ oldest: this.oldest, newest: this.newest });

  after(position: number) {
    if (this.broken) throw new Error('cannot be read');
    const reached = Math.min(position + PIECE, this.newest);
    const events = Array.from({ length: reached - position }, (_, i) => ({ sequence: position + 1 + i }));
    return { events, reached, more: reached < this.newest };
  }

  follow(listener: (event: Numbered) => void): () => void {
    this.followers.add(listener);
    return () => void this.followers.delete(listener);
  }

  happen(count: number): void {
    for (let i = 0; i < count; i++) {
      this.newest++;
      for (const follower of this.followers) follower({ sequence: this.newest });
    }
  }
}

let journal: Journal;
let got: number[];
let ended: FeedEnd | undefined;
let room: number;
let taken: (() => void) | undefined;

beforeEach(() => {
  journal = new Journal();
  [got, ended, room, taken] = [[], undefined, Number.POSITIVE_INFINITY, undefined];
});

function feed(since: Position | undefined, turn?: (work: () => void) => void): EventFeed<Numbered> {
  const add = ({ sequence }: Numbered) => void got.push(sequence);
  const reader = {
    add,
    push(event: Numbered) {
      if (room-- <= 0) return false;
      add(event);
      return true;
    },
    whenTaken: (next: () => void) => {
      taken = next;
    },
    end: (why: FeedEnd) => {
      ended = why;
    },
  };
  const made = new EventFeed(journal, reader, since, turn);
  made.start();
  return made;
}

/** The reader takes what it was given, as long as there is something. */
function take(): void {
  for (let next = taken; next; next = taken) {
    taken = undefined;
    next();
  }
}

describe('a reader that has given a position', () => {
  it('gets the events that it has missed in pieces, each when it has taken the one before', () => {
    journal.happen(5);
    feed(0);
    expect(got).toEqual([1, 2]);
    take();
    expect(got).toEqual([1, 2, 3, 4, 5]);
  });

  it('gets new events once, in order', () => {
    journal.happen(3);
    feed(1);
    journal.happen(2);
    take();
    journal.happen(2);
    expect(got).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('goes back to the journal when its queue is full, and misses nothing', () => {
    feed(0);
    room = 1;
    journal.happen(4);
    expect([got, journal.followers.size]).toEqual([[1], 0]);
    room = 9;
    take();
    journal.happen(1);
    expect([got, ended]).toEqual([[1, 2, 3, 4, 5], undefined]);
  });

  it.each([
    [
      'position-lost',
      () => {
        journal.oldest = 4;
      },
    ],
    [
      'unreadable',
      () => {
        journal.broken = true;
      },
    ],
  ] as const)('is ended with %s when the journal fails meanwhile', (why, fail) => {
    journal.happen(6);
    feed(0);
    fail();
    take();
    expect([got, ended]).toEqual([[1, 2], why]);
  });
});

describe('a reader without positions', () => {
  it('gets only new events, and is ended when its queue is full', () => {
    journal.happen(3);
    feed(undefined);
    room = 1;
    journal.happen(2);
    expect([got, ended, journal.followers.size]).toEqual([[4], 'too-slow', 0]);
  });
});

describe('a feed', () => {
  it('with `now` begins at the end of the journal, and goes back there when the queue is full', () => {
    journal.happen(3);
    feed('now');
    room = 0;
    journal.happen(1);
    take();
    expect([got, ended]).toEqual([[4], undefined]);
  });

  it('gives no event twice when its turn comes after it has gone back to the journal', () => {
    const turns: (() => void)[] = [];
    feed('now', (work) => turns.push(work));
    room = 1;
    journal.happen(3);
    for (const turn of turns.splice(0)) turn();
    take();
    for (const turn of turns.splice(0)) turn();
    expect(got).toEqual([1, 2, 3]);
  });

  it('that is stopped gives no more events', () => {
    journal.happen(5);
    const stopped = feed(0);
    stopped.stop();
    take();
    journal.happen(1);
    expect(got).toEqual([1, 2]);
  });
});
