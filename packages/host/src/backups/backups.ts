import { type Clock, timestamp } from '../base/clock.ts';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { hostError } from '../core/host-errors.ts';
import type { Still } from '../store/sqlite/still.ts';
import { copyName } from './copy-names.ts';
import { CopyProcess, type Steps } from './copy-process.ts';
import type { Copy, Order } from './order.ts';

/** Where and how often copies are made. */
export interface BackupSettings {
  readonly folder: string;
  /** Maximum number of copies in the folder. */
  readonly count: number;
  /** Minutes between two copies; 0: only an operator makes copies. */
  readonly minutes: number;
}

export interface BackupParts {
  /** Path of the database. */
  readonly database: string;
  readonly directoryId: string;
  readonly settings: BackupSettings;
  readonly store: { holdStill(): Still };
  readonly clock: Clock;
  readonly log: Log;
}

/** A copy that could not be made. */
export interface BackupFailure {
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
}

const NOTHING: Steps = { ready: () => {}, copying: () => {}, copied: () => {} };
const HANGS = 'the program that made an earlier copy hangs: the disk of the copies does not answer';
const MOVED = 'the database changed too much while it was copied';

/**
 * Makes copies of the database while it is in use. A child process copies the database's file. The store keeps the file
 * still until the child has read it. A copy gets its name only if the store says that the file was still.
 */
export class Backups {
  readonly #parts: BackupParts;
  #process: CopyProcess | null = null;
  #listing: CopyProcess | null = null;
  #isMaking = false;
  #isStopped = false;
  /** Null if the last copy was made, or none has been tried. */
  failure: BackupFailure | null = null;

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  get settings(): BackupSettings {
    return this.#parts.settings;
  }

  /** The copies in the folder, the newest first. @throws CodedError backup-unreadable */
  async list(options: { readonly clean: boolean } = { clean: false }): Promise<readonly Copy[]> {
    // All who ask at the same time get one answer. While a program hangs, they get the reason of its failure.
    if (!this.#listing?.isRunning)
      this.#listing = this.#run({ verb: 'list', ...this.#place(), ...options }, NOTHING);
    try {
      return await this.#listing.copies;
    } catch (error) {
      throw hostError('backup-unreadable', this.settings.folder, messageOf(error));
    }
  }

  /**
   * Makes a copy.
   * @param onProgress gets how much of the file has been read, in percent
   * @throws CodedError backup-running, backup-failed
   */
  async create(onProgress: (percent: number) => void = () => {}): Promise<Copy> {
    if (this.#isMaking) throw hostError('backup-running');
    this.#isMaking = true;
    const { clock, log } = this.#parts;
    try {
      if (this.#process?.isRunning) throw new Error(HANGS);
      const copy = await this.#create(onProgress);
      this.failure = null;
      log.debug({ copy: copy.name, bytes: copy.bytes }, 'the database was backed up');
      return copy;
    } catch (error) {
      const reason = messageOf(error);
      if (this.#isStopped) throw hostError('shutting-down');
      this.failure = { at: timestamp(clock), reason };
      log.error({ folder: this.settings.folder, reason }, 'the database could not be backed up');
      throw hostError('backup-failed', reason);
    } finally {
      this.#isMaking = false;
    }
  }

  /** Ends a copy that is being made. It waits for nothing, because the disk of the copy may not answer. */
  stop(): void {
    this.#isStopped = true;
    for (const each of [this.#process, this.#listing]) each?.kill('the daemon ends');
  }

  async #create(onProgress: (percent: number) => void): Promise<Copy> {
    const { database, directoryId, store, clock, settings } = this.#parts;
    const name = copyName(directoryId, clock.now());
    let still: Still | undefined;
    const running = this.#run(
      { verb: 'create', database, name, count: settings.count, ...this.#place() },
      {
        copying: onProgress,
        ready: () => {
          still = store.holdStill();
          still.onBroken = () => running.kill(MOVED);
          if (!still.isWhole) throw new Error(MOVED);
        },
        copied: () => {
          const isWhole = still?.isWhole;
          still?.end();
          if (!isWhole) throw new Error(MOVED);
        },
      },
    );
    this.#process = running;
    try {
      const made = (await running.copies).find((copy) => copy.name === name);
      if (!made) throw new Error('it was removed at once');
      return made;
    } finally {
      still?.end();
    }
  }

  #place(): Pick<Order, 'folder' | 'directoryId'> {
    return { folder: this.settings.folder, directoryId: this.#parts.directoryId };
  }

  #run(order: Order, steps: Steps): CopyProcess {
    if (this.#isStopped) throw hostError('shutting-down');
    return new CopyProcess(order, steps);
  }
}
