import { Group } from './group.ts';
import { KnownAnswers } from './known-answers.ts';
import { Party } from './party.ts';

/** Callers in no instance: processes of the host, and those that were gone before they were looked at. */
export class Strangers {
  /** All of them together get the turn of one instance. */
  readonly #party = new Party();
  readonly #answers = new KnownAnswers({ kind: 'no-instance' }, () => undefined);

  /** The group of a user, by the host's uid. */
  group(uid: number): Group {
    return new Group({ kind: 'no-instance', uid }, this.#party, this.#answers);
  }
}
