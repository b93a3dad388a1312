import { within } from '../../base/within.ts';
import { hostError } from '../../core/host-errors.ts';
import type { Etcd } from '../../etcd/client.ts';
import { baseOf } from './base.ts';
import { changeFailure, isUnknown } from './failures.ts';
import type { FenceKeeper } from './fence.ts';
import { describeKey, type FleetKeys } from './fleet-keys.ts';
import type { Following } from './following.ts';
import type { KnownKeys } from './known-keys.ts';
import type { UnreadableRecords } from './revisions.ts';
import { type Base, madeFrom, type Plan, type Refusal, refusalOf, requestOf } from './transaction.ts';
import { Turn } from './turns.ts';

/** How long a commit waits for its outcome: twice a lease. */
const COMMIT_MS = 10_000;

/** How long a commit waits for etcd's answer; then it finds out the outcome in another way. */
const REQUEST_MS = 5_000;

/** How often a commit is tried that has certainly not happened. */
const ATTEMPTS_MAX = 5;

/** How long a commit waits for the newer state after a conflict. */
const CATCH_UP_MS = 2_000;

export interface CommitParts {
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  readonly member: string;
  readonly keeper: FenceKeeper;
  readonly known: KnownKeys;
  readonly unreadable: UnreadableRecords;
  readonly following: Following;
  readonly nextToken: () => string;
  readonly monotonicMs: () => number;
}

type Sent = 'made' | 'unknown' | Refusal;

/** One commit, until it is applied here or is sure not to happen. */
export class Committing {
  readonly #parts: CommitParts;
  readonly #plan: Plan;
  readonly #until: number;

  constructor(parts: CommitParts, plan: Plan) {
    this.#parts = parts;
    this.#plan = plan;
    this.#until = parts.monotonicMs() + COMMIT_MS;
  }

  /** @throws CodedError */
  async run(): Promise<void> {
    this.#refuseUnreadable();
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const fence = this.#parts.keeper.fence();
      if (!fence || this.#leftMs === 0) throw hostError('fleet-cut-off');
      const base = await this.#base();
      const turn = new Turn(this.#parts.nextToken(), fence, this.#plan.commit.apply);
      if (await this.#attempt(turn, base)) return;
      // The watch may have told of a new fence before etcd's answer did.
      await this.#parts.keeper.renew(fence);
    }
    throw hostError('fleet-cut-off');
  }

  #refuseUnreadable(): void {
    const { keys, unreadable } = this.#parts;
    const bad = madeFrom(this.#plan, keys).find((key) => unreadable.has(key));
    if (bad) throw hostError('fleet-record-unreadable', bad, unreadable.get(bad) ?? '');
  }

  async #base(): Promise<Base> {
    const { keys, etcd, known } = this.#parts;
    const found = await baseOf(madeFrom(this.#plan, keys), this.#plan.commit.based, { etcd, known }).catch(
      (error) => {
        throw changeFailure(error);
      },
    );
    if ('base' in found) return found.base;
    return this.#conflict(found.changed, new Map());
  }

  /** @returns whether the change is applied here; false: it has not happened, and can be tried again */
  async #attempt(turn: Turn, base: Base): Promise<boolean> {
    const { following } = this.#parts;
    following.turns.add(turn);
    // The watch may tell of the commit before etcd's answer is there.
    const sent = await Promise.race([this.#send(turn, base), turn.outcome.then(() => 'made' as const)]);
    if (sent === 'made') return this.#outcome(turn, hostError('fleet-not-applied'));
    if (sent === 'unknown') return this.#settle(turn);
    following.turns.drop(turn);
    if (sent.reason === 'changed') return this.#conflict(sent.keys, base);
    if (sent.reason === 'removed') throw hostError('fleet-not-member');
    return false;
  }

  /** With a new fence, the watch tells whether the change was made before it; later it cannot be made any more. */
  async #settle(turn: Turn): Promise<boolean> {
    const { keeper } = this.#parts;
    await Promise.race([turn.outcome, keeper.renew(turn.fence)]);
    const unknown = hostError('fleet-outcome-unknown');
    return this.#outcome(turn, unknown, keeper.fence() ? this.#leftMs : 0);
  }

  get #leftMs(): number {
    return Math.max(0, this.#until - this.#parts.monotonicMs());
  }

  async #outcome(turn: Turn, late: Error, leftMs = this.#leftMs): Promise<boolean> {
    if (!(await within(leftMs, turn.outcome))) {
      turn.giveUp();
      throw late;
    }
    const { made } = await turn.outcome;
    return made;
  }

  async #send(turn: Turn, base: Base): Promise<Sent> {
    const { etcd, keys, member, following } = this.#parts;
    const writer = { member, fence: turn.fence, token: turn.token };
    try {
      const timeoutMs = Math.max(1, Math.min(REQUEST_MS, this.#leftMs));
      const answer = await etcd.txn(requestOf(this.#plan, base, writer, keys), { timeoutMs });
      return answer.succeeded ? 'made' : refusalOf(this.#plan, base, writer, keys, answer);
    } catch (error) {
      if (isUnknown(error)) return 'unknown';
      following.turns.drop(turn);
      throw changeFailure(error);
    }
  }

  /** Fails when the newer state has been applied here, so that the change can be made again from it. */
  async #conflict(changed: readonly string[], base: Base): Promise<never> {
    const { known, following, keys } = this.#parts;
    const isKnown = (key: string) => this.#isKnownToDiffer(key, base);
    const newest = () => Math.max(...changed.map((key) => known.newest(key)));
    let isLate = false;
    const isApplied = () => changed.every(isKnown) && following.delivered >= newest();
    await within(
      CATCH_UP_MS,
      following.until(() => isLate || isApplied()),
    );
    isLate = true;
    throw hostError('changed-meanwhile', describeKey(keys, changed[0] ?? ''));
  }

  /** Whether what this member knows of a key is newer than what the commit was made from. */
  #isKnownToDiffer(key: string, base: Base): boolean {
    const newest = this.#parts.known.newest(key);
    const { commit, needed, unused } = this.#plan;
    if (unused.includes(key)) return newest > commit.based;
    if (base.has(key)) return newest !== base.get(key);
    return needed.includes(key) ? newest === 0 : newest > commit.based;
  }
}
