import type { Caller } from '../core/caller.ts';
import { acceptedOf } from '../guest/caller-key.ts';
import type { Accepted } from '../http/application.ts';
import type { KnownAnswers } from './known-answers.ts';
import type { Party } from './party.ts';

/** Callers that get the same answers: root of an instance, its other users, or a user in no instance. */
export class Group {
  readonly accepted: Accepted<Caller>;
  /** With whom they share their turn. */
  readonly party: Party;
  readonly answers: KnownAnswers;

  constructor(caller: Caller, party: Party, answers: KnownAnswers) {
    this.accepted = acceptedOf(caller);
    this.party = party;
    this.answers = answers;
  }

  get caller(): Caller {
    return this.accepted.peer;
  }

  /** 0: none. */
  get instanceId(): number {
    const { peer } = this.accepted;
    return peer.kind === 'no-instance' ? 0 : peer.instanceId;
  }

  /** In no instance: never left to the server behind. */
  get strange(): boolean {
    return this.accepted.rank === 'stranger';
  }
}
