import { messageOf } from '../base/coded-error.ts';
import type { Change } from '../core/entities.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import type { SharedChange } from '../core/shared.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { Batch, Loss, SharedStore } from '../store/shared-store.ts';
import { Adjuster, type Reached } from './adjust.ts';
import { Corrections } from './corrections.ts';
import { followed } from './elsewhere.ts';
import type { Mirror } from './mirror.ts';
import { takeOver } from './take-over.ts';
import { wrongAfter } from './wrong-records.ts';

export interface FollowingParts {
  readonly context: RunNeeds & Needs<'random'>;
  readonly store: SharedStore;
  readonly mirror: Mirror;
  /** Called with images that are deleted: their files can go. */
  readonly imagesGone: (fingerprints: readonly string[]) => void;
  /** Called when the fleet has no such member any more. */
  readonly removed: () => void;
}

/** How long changes that concern only other members wait until they are written together, unless they are many. */
const WRITE_MS = 1_000;

/**
 * Follows the fleet's changes, one revision after the other. A revision that changes something of this host is one
 * transaction of the local store, with its number and the events of the instances that it changes. So the next daemon
 * goes on where this one was, whenever this one ends. Revisions that change only other members are written later: if the
 * daemon ends before that, the next one follows them again.
 */
export class Following {
  readonly #parts: FollowingParts;
  readonly #adjuster: Adjuster;
  readonly #corrections: Corrections;
  readonly #abort = new AbortController();
  /** Settles when the work on running instances that has begun is over. */
  #adjusting: Promise<void> = Promise.resolve();
  #end = () => {};
  #writing: NodeJS.Timeout | undefined;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.#adjuster = new Adjuster(parts.context);
    this.#corrections = new Corrections(parts);
  }

  /** Names of own instances that an instance of another member has, too. */
  get conflicts(): readonly string[] {
    return this.#corrections.conflicts;
  }

  /** Corrects no record from now on; see {@link Corrections.hold}. */
  holdCorrections(): ReturnType<Corrections['hold']> {
    return this.#corrections.hold();
  }

  start(): void {
    const { store, mirror, removed, context } = this.#parts;
    const { revision, mark, member } = mirror.fleet;
    const own = mirror.members.get(member);
    // The last daemon may have learned it, and ended before it made this host a single host.
    if (!own) {
      removed();
      return;
    }
    const follower = {
      changed: (batch: Batch) => this.#changed(batch),
      lost: (loss: Loss) => void this.#takeOver(loss),
    };
    this.#end = store.follow(revision, follower, mark);
    this.#corrections.add(wrongAfter([{ kind: 'put-member', member: own }], context.model, member));
  }

  stop(): void {
    this.#abort.abort();
    this.#corrections.stop();
    this.#end();
    this.#write();
  }

  /** Settles when all changes so far are made on running instances, or have failed there. */
  get adjusted(): Promise<void> {
    return this.#adjusting;
  }

  async #changed(batch: Batch): Promise<void> {
    const { mirror, context } = this.#parts;
    const { changes, apply } = batch;
    const { member } = mirror.fleet;
    const isRemoved = changes.some((each) => each.kind === 'delete-member' && each.name === member);
    if (!apply && !isRemoved && mirror.canWait(changes)) this.#hold(batch);
    else await this.#take(batch);
    if (isRemoved) {
      // Later changes do not concern this host.
      this.stop();
      this.#parts.removed();
      return;
    }
    if (apply) return;
    this.#corrections.forget(changes);
    this.#corrections.add(wrongAfter(changes, context.model, member));
  }

  async #take(batch: Batch): Promise<void> {
    const { mirror } = this.#parts;
    this.#writeNoMore();
    const extra = mirror.changesFor(batch, batch.changes);
    if (batch.apply) batch.apply(extra);
    else await this.#follow(batch.changes, extra);
    mirror.apply(batch, batch.changes);
  }

  #hold(batch: Batch): void {
    const { mirror } = this.#parts;
    mirror.hold(batch, batch.changes);
    this.#writing ??= setTimeout(() => this.#write(), WRITE_MS);
    if (mirror.isFull) this.#write();
  }

  /** Writes what was held back, unless another change is being written: that one writes it too, with a newer revision. */
  #write(): void {
    const { context, mirror } = this.#parts;
    const isDue = this.#writing !== undefined;
    this.#writeNoMore();
    if (!isDue || mirror.isWritten) return;
    try {
      context.model.follow(mirror.changesFor(mirror.fleet, []), []);
      mirror.apply(mirror.fleet, []);
    } catch (error) {
      context.log.error({ reason: messageOf(error) }, 'what is known of other members could not be written');
    }
  }

  #writeNoMore(): void {
    clearTimeout(this.#writing);
    this.#writing = undefined;
  }

  async #follow(changes: readonly SharedChange[], extra: readonly Change[], isTold = true): Promise<void> {
    const { context, mirror } = this.#parts;
    const { change, reached, leftOut } = followed(context, changes, mirror.fleet.member, extra, isTold);
    await context.model.commitMany(change);
    if (leftOut.length > 0)
      context.log.error(
        { records: leftOut.map(mirrorKeyOf) },
        'changes of the fleet refer to what is not there: they are left out',
      );
    this.#adjust(reached);
    const gone = changes.flatMap((each) => (each.kind === 'delete-image' ? each.fingerprint : []));
    if (gone.length > 0) this.#parts.imagesGone(gone);
  }

  #adjust(reached: ReadonlyMap<number, Reached>): void {
    if (reached.size === 0) return;
    this.#adjusting = Promise.all([this.#adjusting, this.#adjuster.adjust(reached)]).then(() => {});
  }

  /** Goes on from the state of the fleet, because the history after the own revision is gone. */
  #takeOver(loss: Loss): Promise<void> {
    this.#writeNoMore();
    const parts = {
      ...this.#parts,
      signal: this.#abort.signal,
      apply: (changes: readonly SharedChange[], extra: readonly Change[]) =>
        this.#follow(changes, extra, false),
      done: (wrong: readonly string[]) => {
        this.start();
        this.#corrections.add(wrong);
      },
    };
    return takeOver(parts, loss);
  }
}
