import type { GuestView } from '../core/view.ts';
import { CallerGroup } from './caller-group.ts';
import { KnownAnswers } from './known-answers.ts';
import type { RunIdentity } from './messages.ts';
import { TurnShare } from './turn-share.ts';

/** A run of an instance, as the lane knows it. */
export class LaneRun {
  readonly facts: RunIdentity;
  readonly root: CallerGroup;
  readonly others: CallerGroup;
  #view: GuestView | undefined;
  #over = false;

  constructor(facts: RunIdentity, view: GuestView | undefined) {
    this.facts = facts;
    this.#view = view;
    const turnShare = new TurnShare();
    this.root = this.#group('instance', turnShare);
    this.others = this.#group('not-root', turnShare);
  }

  get over(): boolean {
    return this.#over;
  }

  /** False between the begin of a new instance's run and the commit that makes the instance: it has no answers yet. */
  get hasView(): boolean {
    return this.#view !== undefined;
  }

  /** Undefined once this run is over, as with `GuestBackend.view`. */
  readonly currentView = (): GuestView | undefined => (this.#over ? undefined : this.#view);

  setView(view: GuestView): void {
    this.#view = view;
    this.#forgetAnswers();
  }

  end(): void {
    this.#over = true;
    this.#forgetAnswers();
  }

  #group(kind: 'instance' | 'not-root', turnShare: TurnShare): CallerGroup {
    const { instanceId, runNumber } = this.facts;
    const caller = { kind, instanceId, runNumber };
    return new CallerGroup(caller, turnShare, new KnownAnswers(caller, this.currentView));
  }

  #forgetAnswers(): void {
    this.root.answers.clear();
    this.others.answers.clear();
  }
}
