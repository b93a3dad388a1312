import { CallerGroup } from './caller-group.ts';
import { KnownAnswers } from './known-answers.ts';
import { TurnShare } from './turn-share.ts';

/** Callers in no instance: processes of the host, and processes that ended before they were identified. */
export class UnknownCallers {
  /** All of them together get the turn of one instance. */
  readonly #turnShare = new TurnShare();
  readonly #answers = new KnownAnswers({ kind: 'no-instance' }, () => undefined);

  /** The group of a user; `uid` is that of the host. */
  group(uid: number): CallerGroup {
    return new CallerGroup({ kind: 'no-instance', uid }, this.#turnShare, this.#answers);
  }
}
