import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import { nextTurn, SLICE } from '../../base/slices.ts';
import type { Change } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Etcd } from '../../etcd/client.ts';
import type { WatchEvent } from '../../etcd/watch-types.ts';
import type { Batch, Follower, Loss } from '../shared-store.ts';
import type { FleetKeys } from './fleet-keys.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Revision, RevisionReader } from './revisions.ts';
import { type Turn, Turns } from './turns.ts';
import { Watching } from './watching.ts';

/** Pause before a batch is tried again that could not be applied, as on a full disk. */
const RETRY_MS = 1_000;

/** Pause between two batches that only tell of a revision: each costs the follower a write. */
const QUIET_MS = 60_000;

export interface FollowingParts {
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  readonly known: KnownKeys;
  readonly reader: RevisionReader;
  readonly log: Log;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
}

interface Received {
  readonly events: readonly WatchEvent[];
  readonly revision: number;
  readonly mark: string | undefined;
}

/** Passes on each revision to one follower, strictly in order, and gives commits of this member their turn. */
export class Following {
  readonly turns = new Turns();
  readonly #parts: FollowingParts;
  readonly #follower: Follower;
  readonly #watching: Watching;
  readonly #waiting: Received[] = [];
  readonly #end = new AbortController();
  readonly #watchers = new Set<() => void>();
  #isBusy = false;
  #delivered: number;
  #toldAt: number;

  constructor(parts: FollowingParts, after: number, follower: Follower, mark: string | undefined) {
    this.#parts = parts;
    this.#follower = follower;
    this.#delivered = after;
    this.#toldAt = parts.monotonicMs();
    this.#watching = new Watching(
      {
        ...parts,
        received: (events, revision, itsMark) => this.#take({ events, revision, mark: itsMark }),
        lost: (loss) => this.#lose(loss),
        waiting: () => this.#waiting.length,
        emptied: () => this.until(() => this.#waiting.length === 0),
      },
      after,
      mark,
    );
  }

  /** All revisions up to this one have been applied here. */
  get delivered(): number {
    return this.#delivered;
  }

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** Resolves when a condition holds, which is looked at after each revision, or when following has ended. */
  until(holds: () => boolean): Promise<void> {
    if (holds() || this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const watcher = () => {
        if (!holds() && !this.isOver) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Ends it. Commits that wait fail: their changes may be in the fleet, and are not applied here. */
  stop(): void {
    if (this.isOver) return;
    this.#end.abort();
    this.#watching.stop();
    this.#waiting.length = 0;
    this.turns.failAll(hostError('fleet-outcome-unknown'));
    this.#look();
  }

  #lose(loss: Loss): void {
    if (this.isOver) return;
    // What came before the gap is applied first.
    void this.until(() => this.#waiting.length === 0 && !this.#isBusy).then(() => {
      if (this.isOver) return;
      this.stop();
      this.#follower.lost(loss);
    });
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #take(received: Received): void {
    this.#waiting.push(received);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    let size = 0;
    for (let next = this.#waiting[0]; next && !this.isOver; next = this.#waiting[0]) {
      await this.#deliver(next);
      this.#waiting.shift();
      this.#delivered = next.revision;
      if (this.#waiting.length > 0) this.#look();
      size += next.events.length;
      if (size < SLICE) continue;
      await nextTurn();
      size = 0;
    }
    this.#isBusy = false;
    this.#look();
  }

  async #deliver({ events, revision, mark }: Received): Promise<void> {
    // First: it must know at least what the follower knows.
    this.#parts.known.take(events, revision);
    const read = this.#parts.reader.read(events);
    const turn = this.turns.take(read.token);
    if (turn || read.changes.length > 0 || this.#isQuietFor(QUIET_MS))
      await this.#tell(read, { revision, ...(mark !== undefined && { mark }) }, turn);
    turn?.done();
    if (read.fence !== undefined) this.turns.refuteBefore(read.fence);
  }

  #isQuietFor(ms: number): boolean {
    return this.#parts.monotonicMs() - this.#toldAt >= ms;
  }

  async #tell(
    { changes }: Revision,
    position: Pick<Batch, 'revision' | 'mark'>,
    turn: Turn | undefined,
  ): Promise<void> {
    while (!this.isOver) {
      const apply = turn && !turn.isGivenUp ? (extra: readonly Change[]) => turn.apply(extra) : null;
      const batch: Batch = { ...position, changes, apply };
      try {
        await this.#follower.changed(batch);
        this.#toldAt = this.#parts.monotonicMs();
        return;
      } catch (error) {
        turn?.fail(error);
        const { revision } = position;
        this.#parts.log.error(
          { revision, reason: messageOf(error) },
          'a change of the fleet cannot be applied here',
        );
        await sleep(RETRY_MS, undefined, { signal: this.#end.signal }).catch(() => {});
      }
    }
  }
}
