import type { GuestView } from '../core/view.ts';
import { Group } from './group.ts';
import { KnownAnswers } from './known-answers.ts';
import type { RunFacts } from './messages.ts';
import { Party } from './party.ts';

/** A run of an instance, as the lane knows it. */
export class Run {
  readonly facts: RunFacts;
  readonly root: Group;
  readonly others: Group;
  #view: GuestView | undefined;
  #over = false;

  constructor(facts: RunFacts, view: GuestView | undefined) {
    this.facts = facts;
    this.#view = view;
    const party = new Party();
    this.root = this.#group('instance', party);
    this.others = this.#group('not-root', party);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Undefined once this run is over, like the daemon's own answer to the question. */
  readonly currentView = (): GuestView | undefined => (this.#over ? undefined : this.#view);

  setView(view: GuestView): void {
    this.#view = view;
    this.#forgetAnswers();
  }

  end(): void {
    this.#over = true;
    this.#forgetAnswers();
  }

  #group(kind: 'instance' | 'not-root', party: Party): Group {
    const { instanceId, boot } = this.facts;
    const caller = { kind, instanceId, boot };
    return new Group(caller, party, new KnownAnswers(caller, this.currentView));
  }

  #forgetAnswers(): void {
    this.root.answers.clear();
    this.others.answers.clear();
  }
}
