import type { Caller } from '../core/caller.ts';
import { callerKey } from '../guest/caller-key.ts';
import type { Client } from './client.ts';
import { KnownAnswers } from './known-answers.ts';
import { Line, type Linked } from './line.ts';
import type { Run } from './run.ts';

/** Callers that share limits, turns and answers: root of an instance, or its other users. */
export class Group implements Linked<Group> {
  readonly run: Run;
  readonly caller: Caller;
  readonly key: string;
  readonly answers: KnownAnswers;
  /** Connections that wait for their turn; see {@link Turns}. */
  readonly waiting = new Line<Client>();
  next: Group | undefined;

  constructor(run: Run, kind: 'instance' | 'not-root') {
    const { instanceId, boot } = run.facts;
    this.run = run;
    this.caller = { kind, instanceId, boot };
    this.key = callerKey(this.caller);
    this.answers = new KnownAnswers(this.caller, run.currentView);
  }
}
