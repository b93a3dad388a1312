import type { DatabaseSync } from 'node:sqlite';
import type { Change, NewEvent, StoredEvent } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { JournalLimits } from '../../store/journal-limits.ts';
import { Store } from '../../store/store.ts';
import type { Life } from './life.ts';

type Match = (changes: readonly Change[], events: readonly NewEvent[]) => boolean;

interface Trouble {
  readonly match: Match;
  readonly meet: (write: () => readonly StoredEvent[]) => readonly StoredEvent[];
}

const ALL: Match = () => true;

/** The real store, with commits that tests can refuse, or at which they can let the daemon die. */
export class TestStore extends Store {
  readonly #life: Life;
  readonly #troubles = new Set<Trouble>();

  constructor(database: DatabaseSync, life: Life, journal: Partial<JournalLimits>) {
    super(':memory:', { journal }, database);
    this.#life = life;
  }

  /** Refuses commits from now on. @returns a function that ends this */
  refuse(match: Match = ALL, error: Error = hostError('store-full', 'no room')): () => void {
    return this.#add({
      match,
      meet: () => {
        throw error;
      },
    });
  }

  /** Lets the daemon die at the next commit that matches: before it is made, or after. */
  dieAt(when: 'before' | 'after', match: Match = ALL): void {
    this.#add({
      match,
      meet: (write) => {
        if (when === 'after') write();
        this.#life.end();
        throw new Error('this daemon has died');
      },
    });
  }

  override commit(changes: readonly Change[], events: readonly NewEvent[]): readonly StoredEvent[] {
    if (this.#life.over) throw new Error('this daemon has died');
    const trouble = [...this.#troubles].find(({ match }) => match(changes, events));
    const write = () => super.commit(changes, events);
    return trouble ? trouble.meet(write) : write();
  }

  #add(trouble: Trouble): () => void {
    this.#troubles.add(trouble);
    return () => void this.#troubles.delete(trouble);
  }
}

/** Matches commits that have a change of this kind. */
export const withChange =
  (kind: Change['kind']): Match =>
  (changes) =>
    changes.some((change) => change.kind === kind);

/** Matches commits that have a lifecycle event with this action. */
export const telling =
  (action: string): Match =>
  (_changes, events) =>
    events.some(({ metadata }) => metadata['action'] === action);
