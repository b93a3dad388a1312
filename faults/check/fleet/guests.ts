import type { FleetHistory, KeyChange } from './history.ts';
import type { GuestLog, GuestRead, RunRecord } from './record.ts';

/** One defect shows many times: the first ones tell enough. */
const TOLD_MAX = 3;

interface Event {
  readonly sequence: number;
  readonly key: string;
  readonly old: string;
  readonly value: string;
}

/**
 * Each guest has heard of every change of its own keys, once and in the order of etcd's history; if it has not, it was
 * told so (410).
 */
export function checkGuests(record: RunRecord, history: FleetHistory): string[] {
  return record.guests.flatMap((guest) => {
    const due = history.keyChanges(guest.instance).filter(({ revision }) => revision > record.begun);
    const found = [
      ...eventsOf(guest, due, record),
      ...readsOf(guest.reads, history.keyChanges(guest.instance)),
    ];
    return found.slice(0, TOLD_MAX).map((sentence) => `guest of ${guest.instance}: ${sentence}`);
  });
}

/** How many events all guests have heard. */
export function countEvents(record: RunRecord): number {
  return record.guests.reduce(
    (sum, { lines }) => sum + lines.filter(({ kind }) => kind === 'event').length,
    0,
  );
}

function eventsOf(guest: GuestLog, due: readonly KeyChange[], record: RunRecord): string[] {
  const listener = new Listener(due);
  for (const { kind, text, at } of guest.lines) {
    if (kind === 'event') listener.hear(text);
    if (kind === 'gone') {
      listener.isTold = true;
      if (!record.compactions.some((each) => each < at)) listener.wrong(`410 without a cause: ${text}`);
    }
    if (kind === 'broken') listener.wrong(`an event that nobody can read: ${text}`);
  }
  listener.end();
  return listener.found;
}

/** Compares what a guest hears with what it must hear. */
class Listener {
  readonly found: string[] = [];
  /** Whether it was told that it has missed something. */
  isTold = false;
  readonly #due: readonly KeyChange[];
  #next = 0;
  #sequence = -1;

  constructor(due: readonly KeyChange[]) {
    this.#due = due;
  }

  wrong(sentence: string): void {
    this.found.push(sentence);
  }

  hear(text: string): void {
    const event = readEvent(text);
    if (!event) return;
    if (event.sequence <= this.#sequence) this.wrong(`number ${event.sequence} after ${this.#sequence}`);
    this.#sequence = event.sequence;
    const same = (change: KeyChange) =>
      change.key === event.key && change.old === event.old && change.value === event.value;
    const later = this.#due.findIndex((change, index) => index >= this.#next && same(change));
    const shown = `${event.key}: ${event.old} -> ${event.value} (number ${event.sequence})`;
    if (later < 0) {
      const earlier = this.#due.some(same);
      this.wrong(earlier ? `again, or too late: ${shown}` : `this never happened: ${shown}`);
      return;
    }
    if (later > this.#next && !this.isTold) this.wrong(`lost before ${shown}: ${this.#lost(later)}`);
    this.#next = later + 1;
    this.isTold = false;
  }

  end(): void {
    if (this.#next < this.#due.length && !this.isTold)
      this.wrong(`lost at the end: ${this.#lost(this.#due.length)}`);
  }

  #lost(until: number): string {
    const lost = this.#due.slice(this.#next, until);
    const [first] = lost;
    return `${lost.length} changes, the first is revision ${first?.revision}, ${first?.key}: ${first?.old} -> ${first?.value}`;
  }
}

function readEvent(text: string): Event | null {
  const { type, sequence, metadata } = JSON.parse(text) as {
    type: string;
    sequence: number;
    metadata: { key: string; old_value: string; value: string };
  };
  if (type !== 'config') return null;
  return { sequence, key: metadata.key, old: metadata.old_value, value: metadata.value };
}

/** Each value that a guest reads was set, and never an older one than it has read before. */
function readsOf(reads: readonly GuestRead[], changes: readonly KeyChange[]): string[] {
  const found: string[] = [];
  const at = new Map<string, number>();
  for (const { key, status, text } of reads) {
    if (status !== '200' && status !== '404') continue;
    const value = status === '404' ? '' : text;
    const values = ['', ...changes.filter((change) => change.key === key).map((change) => change.value)];
    const index = values.findIndex((each, place) => place >= (at.get(key) ?? 0) && each === value);
    if (index >= 0) at.set(key, index);
    else if (values.includes(value)) found.push(`read ${key}=${value} after a newer value`);
    else found.push(`read ${key}=${value}, which never was`);
  }
  return found;
}
