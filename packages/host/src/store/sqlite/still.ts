import { statSync } from 'node:fs';
import type { Checkpoints } from './checkpoints.ts';

/**
 * Maximum size of the log while the file is kept still: some thousand commits, which SQLite moves into the database in
 * some hundredths of a second.
 */
const LOG_BYTES_MAX = 32 * 1024 * 1024;

/** A time in which the file of the database does not change, so that another process can copy it. */
export interface Still {
  /** Whether the file is unchanged since the beginning, so that a copy of it is one state. */
  readonly isWhole: boolean;
  /** Called once, if the file has to change before the end. */
  onBroken: () => void;
  end(): void;
}

/**
 * Keeps the database's file still: {@link Checkpoints} does not write to it, and all commits go into the log. Commits
 * have priority: if the log grows too long or the disk is full, the file may change again.
 */
export class Stillness implements Still {
  readonly #checkpoints: Checkpoints;
  readonly #log: string;
  #isWhole: boolean;
  #isOver = false;
  onBroken = () => {};

  /** @param path of the database */
  constructor(checkpoints: Checkpoints, path: string) {
    this.#checkpoints = checkpoints;
    this.#log = `${path}-wal`;
    this.#isWhole = checkpoints.hold();
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Call it after each commit. */
  committed(): void {
    if (!this.#isOver && bytesOf(this.#log) > LOG_BYTES_MAX) this.break();
  }

  /** Lets the file change before the end. */
  break(): void {
    if (this.#isOver || !this.#isWhole) return;
    this.#isWhole = false;
    this.#checkpoints.release();
    this.onBroken();
  }

  end(): void {
    // After a break the file may change already, and another copy may keep it still.
    if (this.#isWhole && !this.#isOver) this.#checkpoints.release();
    this.#isOver = true;
  }
}

/** Size of the log. A log that cannot be read counts as too long. */
function bytesOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
