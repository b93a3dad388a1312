import type { Caller } from '../core/caller.ts';
import { acceptedOf } from '../guest/caller-key.ts';
import type { Accepted } from '../http/application.ts';
import type { KnownAnswers } from './known-answers.ts';
import type { TurnShare } from './turn-share.ts';

/** Callers that get the same answers: root of an instance, its other users, or a user in no instance. */
export class CallerGroup {
  readonly accepted: Accepted<Caller>;
  /** The turn share that they belong to. */
  readonly turnShare: TurnShare;
  readonly answers: KnownAnswers;

  constructor(caller: Caller, turnShare: TurnShare, answers: KnownAnswers) {
    this.accepted = acceptedOf(caller);
    this.turnShare = turnShare;
    this.answers = answers;
  }

  get caller(): Caller {
    return this.accepted.peer;
  }

  /** 0 if the callers are in no instance. */
  get instanceId(): number {
    const { peer } = this.accepted;
    return peer.kind === 'no-instance' ? 0 : peer.instanceId;
  }

  /** Callers in no instance are never handed over to the main server. */
  get isUnknown(): boolean {
    return this.accepted.rank === 'unknown';
  }
}
