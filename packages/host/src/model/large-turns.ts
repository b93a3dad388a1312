import { Places } from '../base/places.ts';
import type { LargeChange } from './large-commit.ts';

/** Large changes run one at a time. */
export class LargeTurns {
  readonly #place = new Places(1);
  /** Changes of this host, running or waiting, on which the others have not decided yet. */
  readonly #undecided = new Set<LargeChange>();

  /** Whether a change may run here: one of others never waits for one of this host whose turn comes only after it. */
  mayWait({ isFollowed }: LargeChange): boolean {
    return !isFollowed || this.#undecided.size === 0;
  }

  /** @param work calls `decided` when the change is applied, in its turn among those of others */
  async run(change: LargeChange, work: (decided: () => void) => Promise<void>): Promise<void> {
    const decided = () => void this.#undecided.delete(change);
    if (!change.isFollowed) this.#undecided.add(change);
    try {
      await this.#place.use(() => work(decided));
    } finally {
      decided();
    }
  }
}
