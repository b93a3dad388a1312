import type { DatabaseSync } from 'node:sqlite';
import { SLICE, SLICE_CHARACTERS } from '../../base/slices.ts';
import type { Instance } from '../../core/entities.ts';

/** While the table `meta` has this key, the staged instances are in effect. */
const MOVING = 'instances-moving';

/**
 * The instances of a large change. They are written before its commit and take effect with it. Then they are moved
 * to the table of instances, some at a time. Methods that write must run inside a transaction.
 */
export class StagedInstances {
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #put: (instance: Instance) => void;
  #moving: boolean;
  /** Whether a large change is being staged. */
  #open = false;

  /** @param put writes an instance into the table of instances */
  constructor(database: DatabaseSync, put: (instance: Instance) => void) {
    this.#statements = statementsOf(database);
    this.#put = put;
    this.#moving = this.#statements.moving.get(MOVING) !== undefined;
  }

  /** Whether there are rows to move, or to drop because their change was interrupted. */
  get hasLeft(): boolean {
    return !this.#open && (this.#moving || this.#statements.any.get() !== undefined);
  }

  begin(): void {
    this.#open = true;
  }

  add(instance: Instance): void {
    this.#statements.add.run(instance.id, JSON.stringify(instance));
  }

  dropOf(id: number): void {
    this.#statements.drop.run(id);
  }

  makeTrue(): void {
    if (this.#statements.any.get() !== undefined) this.#statements.setMoving.run(MOVING);
  }

  /** The large change is over. @param done whether it is in effect now */
  end(done: boolean): void {
    this.#open = false;
    this.#moving = done && this.#statements.moving.get(MOVING) !== undefined;
  }

  /** Drops the staged row of an instance that has a newer row, or was deleted. */
  overtaken(id: number): void {
    if (this.#moving) this.dropOf(id);
  }

  /** Moves some instances, or drops them if they never took effect. @returns whether none are left */
  settle(): boolean {
    for (const instance of this.#some()) {
      if (this.#moving) this.#put(instance);
      this.dropOf(instance.id);
    }
    if (this.#statements.any.get() !== undefined) return false;
    this.#statements.unsetMoving.run(MOVING);
    return true;
  }

  /** Some staged instances, as many as one turn may take. */
  #some(): Instance[] {
    const found: Instance[] = [];
    let size = 0;
    for (const row of this.#statements.all.iterate(SLICE)) {
      found.push(bodyOf(row));
      size += (row['body'] as string).length;
      if (size >= SLICE_CHARACTERS) break;
    }
    return found;
  }

  /** Call it after the commit, if {@link settle} has returned true. */
  settled(): void {
    this.#moving = false;
  }
}

/** The staged instances that are in effect, but not moved yet. Databases of earlier versions have no such table. */
export function stagedIn(database: DatabaseSync): Instance[] {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'staged_instances'").get();
  if (!table || !database.prepare('SELECT 1 FROM meta WHERE key = ?').get(MOVING)) return [];
  return database.prepare('SELECT body FROM staged_instances').all().map(bodyOf);
}

const bodyOf = (row: Record<string, unknown>) => JSON.parse(row['body'] as string) as Instance;

function statementsOf(database: DatabaseSync) {
  return {
    all: database.prepare('SELECT body FROM staged_instances ORDER BY id LIMIT ?'),
    any: database.prepare('SELECT 1 FROM staged_instances LIMIT 1'),
    add: database.prepare('INSERT OR REPLACE INTO staged_instances VALUES (?, ?)'),
    drop: database.prepare('DELETE FROM staged_instances WHERE id = ?'),
    moving: database.prepare('SELECT 1 FROM meta WHERE key = ?'),
    setMoving: database.prepare("INSERT OR REPLACE INTO meta VALUES (?, 'true')"),
    unsetMoving: database.prepare('DELETE FROM meta WHERE key = ?'),
  };
}
