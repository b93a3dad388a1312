import { statSync } from 'node:fs';
import type { Checkpoints } from './checkpoints.ts';

/**
 * The log may grow to this size while the file is held still: 32 MiB are some thousand commits, and are moved into
 * the database in some hundredths of a second.
 */
const LOG_BYTES_MAX = 32 * 1024 * 1024;

/** A time in which the file of the database does not change, so that another process can copy it. */
export interface Still {
  /** Whether the file has not changed since the beginning: what was read of it so far is one state. */
  readonly isWhole: boolean;
  /** Called once if the file has to change before the end. */
  onBroken: () => void;
  end(): void;
}

/**
 * Keeps the database's file still: {@link Checkpoints} does not write to it, and all commits go into the log. The
 * store comes first: if the log grows too long or the disk is full, the file is let go.
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

  /** To be called after each commit. */
  committed(): void {
    if (!this.#isOver && bytesOf(this.#log) > LOG_BYTES_MAX) this.break();
  }

  /** Lets the file go although a copy of it is being made. */
  break(): void {
    if (this.#isOver || !this.#isWhole) return;
    this.#isWhole = false;
    this.#checkpoints.release();
    this.onBroken();
  }

  end(): void {
    // A broken one has let the file go, and another one may hold it.
    if (this.#isWhole && !this.#isOver) this.#checkpoints.release();
    this.#isOver = true;
  }
}

/** A log that cannot be looked at counts as too long. */
function bytesOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
