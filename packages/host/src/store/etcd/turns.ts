import type { Change } from '../../core/entities.ts';
import type { SharedCommit } from '../shared-store.ts';
import type { Fence } from './fence.ts';

/** What became of a commit. */
export type Outcome =
  /** Applied here, in its turn. */
  | { readonly made: true }
  /** It never happens: what it needs to happen is gone. */
  | { readonly made: false };

/** A commit that waits for its turn in the order of revisions. */
export class Turn {
  readonly token: string;
  readonly fence: Fence;
  readonly #apply: SharedCommit['apply'];
  readonly #outcome = Promise.withResolvers<Outcome>();
  #isApplied = false;
  #isGivenUp = false;

  constructor(token: string, fence: Fence, apply: SharedCommit['apply']) {
    this.token = token;
    this.fence = fence;
    this.#apply = apply;
    // The code that waits for it may have stopped waiting.
    this.#outcome.promise.catch(() => {});
  }

  /** Rejects if it could not be applied here. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  apply(extra: readonly Change[]): void {
    if (this.#isApplied) return;
    this.#apply(extra);
    this.#isApplied = true;
  }

  done(): void {
    this.#outcome.resolve({ made: true });
  }

  refute(): void {
    this.#outcome.resolve({ made: false });
  }

  fail(error: unknown): void {
    this.giveUp();
    this.#outcome.reject(error);
  }

  /** Nobody waits for it any more. The caller has undone its work, so these changes are followed like those of others. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  /** What has been applied is applied, also if the follower has failed after it. */
  get isGivenUp(): boolean {
    return this.#isGivenUp && !this.#isApplied;
  }
}

/** The commits whose turn has not come. */
export class Turns {
  readonly #waiting = new Map<string, Turn>();
  /** The newest number of the fence that has been seen. */
  #number = 0;

  add(turn: Turn): void {
    if (turn.fence.number < this.#number) turn.refute();
    else this.#waiting.set(turn.token, turn);
  }

  /** Forgets a commit that etcd has refused. */
  drop(turn: Turn): void {
    this.#waiting.delete(turn.token);
  }

  /** The commit with a token, which waits no longer. */
  take(token: string | undefined): Turn | undefined {
    if (token === undefined) return undefined;
    const turn = this.#waiting.get(token);
    this.#waiting.delete(token);
    return turn;
  }

  /**
   * The fence has a new number from a revision on, and all earlier revisions have been seen: what waits with an older
   * number never happens.
   */
  refuteBefore(number: number): void {
    this.#number = Math.max(this.#number, number);
    for (const turn of this.#waiting.values()) {
      if (turn.fence.number >= number) continue;
      this.#waiting.delete(turn.token);
      turn.refute();
    }
  }

  failAll(error: Error): void {
    for (const turn of this.#waiting.values()) turn.fail(error);
    this.#waiting.clear();
  }
}
