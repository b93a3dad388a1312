import { Places } from '../base/places.ts';
import { type LargeChange, LargeCommit, type LargeSide } from './large-commit.ts';

/** Runs large changes, one after the other. */
export class LargeChanges {
  readonly #place = new Places(1);
  #undecided = 0;

  /** Whether there are large changes of this host on which others have not decided yet. */
  get areUndecided(): boolean {
    return this.#undecided > 0;
  }

  async run(change: LargeChange, side: LargeSide): Promise<void> {
    if (change.isFollowed) return this.#commit(change, side);
    let isDecided = false;
    const decide = () => {
      if (!isDecided) this.#undecided--;
      isDecided = true;
    };
    this.#undecided++;
    const agree: LargeSide['agree'] = (part, apply) =>
      side.agree(part, (extra) => {
        apply(extra);
        decide();
      });
    try {
      await this.#commit(change, { ...side, agree });
    } finally {
      decide();
    }
  }

  #commit(change: LargeChange, side: LargeSide): Promise<void> {
    return this.#place.use(() => new LargeCommit(side, change).run());
  }
}
