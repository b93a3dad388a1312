/** Kinds of request whose time is measured. `change` is the operator's; the others are a guest's. */
export type Kind = 'kept' | 'fresh' | 'main' | 'state' | 'change';

/** A request that did not get its answer. */
export interface Failure {
  /** Who asked, and for what. */
  readonly what: string;
  readonly why: string;
}

/** How many texts of one kind are kept; all are counted. */
const KEPT_MAX = 50;

/** Texts of which the first are kept and all are counted. */
class Texts {
  readonly kept: string[] = [];
  count = 0;

  add(text: string): void {
    this.count++;
    if (this.kept.length < KEPT_MAX) this.kept.push(text);
  }
}

/** What guests and operators have met, counted. */
export class Tally {
  readonly wrong = new Texts();
  readonly failed = new Texts();
  /** Failures while no daemon ran, because the soak had killed it. */
  readonly whileKilled = new Texts();
  answers = 0;
  events = 0;
  changes = 0;
  reconnects = 0;
  /** Answers that told an operator to try again. */
  conflicts = 0;
  /** The guests whose event stream is open. */
  readonly listening = new Set<number>();
  /** The last value of each key that each guest was told of, by guest and key. */
  readonly #known = new Map<string, string>();
  #times: Record<Kind, number[]> = noTimes();
  #isKilled = false;

  /** A request was answered. */
  answered(kind: Kind, ms: number): void {
    if (kind === 'change') this.changes++;
    else this.answers++;
    this.#times[kind].push(ms);
  }

  failure({ what, why }: Failure): void {
    (this.#isKilled ? this.whileKilled : this.failed).add(`${what}: ${why}`);
  }

  /** From now on no daemon runs, or one does again. */
  set isKilled(isKilled: boolean) {
    this.#isKilled = isKilled;
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Takes a line of a guest; see `programs/guests.pl`. */
  guestSaid(guest: number, words: readonly string[]): void {
    const [what, first = '', ...rest] = words;
    if (what === 'answered') this.answered(first as Kind, Number(rest[0]) / US_PER_MS);
    else if (what === 'failed') this.failure({ what: `guest-${guest} ${first}`, why: rest.join(' ') });
    else if (what === 'wrong') this.wrong.add(`guest-${guest}: ${words.slice(1).join(' ')}`);
    else if (what === 'opened') this.listening.add(guest);
    else if (what === 'closed') this.#closed(guest);
    else if (what === 'event') {
      this.events++;
      this.#known.set(`${guest} ${first}`, rest.join(' '));
    }
  }

  #closed(guest: number): void {
    this.listening.delete(guest);
    this.reconnects++;
  }

  /** The last value that a guest has got as an event; undefined when there was none. */
  lastOf(guest: number, key: string): string | undefined {
    return this.#known.get(`${guest} ${key}`);
  }

  /** Times in ms since the last call. */
  takeTimes(): Record<Kind, number[]> {
    const times = this.#times;
    this.#times = noTimes();
    return times;
  }
}

const US_PER_MS = 1000;

function noTimes(): Record<Kind, number[]> {
  return { kept: [], fresh: [], main: [], state: [], change: [] };
}
