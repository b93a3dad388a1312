import type { DatabaseSync } from 'node:sqlite';
import type { Change, NewEvent, StoredEvent } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { JournalLimits } from '../../store/sqlite/journal-limits.ts';
import { type StagedRows, Store } from '../../store/sqlite/store.ts';
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
  /** The number of rows of each step of large changes: of slices, commits, and moves afterwards. */
  readonly steps: number[] = [];
  /** Called after each slice of a large change. */
  betweenSlices: () => void = () => {};
  #death: { readonly step: number; readonly when: 'before' | 'after' } | undefined;

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

  /** Lets the daemon die at a step of large changes, of which the first is 1: before it is made, or after. */
  dieAtStep(step: number, when: 'before' | 'after'): void {
    this.#death = { step: this.steps.length + step, when };
  }

  override stage(rows: readonly StagedRows[]): void {
    this.#step(rows.length, () => super.stage(rows));
    this.betweenSlices();
  }

  override commitStaged(...parts: Parameters<Store['commitStaged']>): ReturnType<Store['commitStaged']> {
    return this.#step(parts[0].length, () => super.commitStaged(...parts));
  }

  override tidy(): void {
    this.#step(0, () => super.tidy());
  }

  #step<T>(rows: number, write: () => T): T {
    if (this.#life.over) throw new Error('this daemon has died');
    this.steps.push(rows);
    const dies = this.#death?.step === this.steps.length;
    if (dies && this.#death?.when === 'before') this.#life.end();
    if (this.#life.over) throw new Error('this daemon has died');
    const result = write();
    if (dies) this.#life.end();
    if (this.#life.over) throw new Error('this daemon has died');
    return result;
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
