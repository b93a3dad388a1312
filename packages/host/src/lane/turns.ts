import { TURN_DEBT_US_MAX, TURN_US } from './limits.ts';
import { Line } from './line.ts';
import type { Party, Waiting } from './party.ts';

/**
 * Whose turn it is, by time: parties that have connections waiting stand in a line; the first one's connections are
 * served until its turn is used up, then it goes to the end. So a party with many busy connections, or costly
 * requests, waits longer for each of them, and nobody else does.
 */
export class Turns<T extends Waiting> {
  readonly #parties = new Line<Party>();

  get none(): boolean {
    return this.#parties.empty;
  }

  /** Puts a connection behind the others of its party. */
  add(client: T): void {
    if (client.waits) return;
    client.waits = true;
    const { party } = client.group;
    if (party.waiting.empty) this.#enter(party);
    party.waiting.push(client);
  }

  /** Takes the connection whose turn it is. */
  take(): T | undefined {
    let party = this.#parties.first;
    if (party === undefined) return undefined;
    for (; party.leftUs <= 0; party = this.#parties.first!) this.#goToTheEnd(party);
    // A party stands in line because one of its connections waits, and only this takes it away.
    const client = party.waiting.shift() as T;
    client.waits = false;
    if (party.waiting.empty) this.#parties.shift();
    return client;
  }

  /** What a connection's turn has taken. */
  charge({ group }: T, us: number): void {
    group.party.leftUs = Math.max(group.party.leftUs - us, -TURN_DEBT_US_MAX);
  }

  /** What it did not use while it was away is gone; what it took too much it still has to wait for. */
  #enter(party: Party): void {
    party.leftUs = Math.min(party.leftUs, 0) + TURN_US;
    this.#parties.push(party);
  }

  #goToTheEnd(party: Party): void {
    this.#parties.shift();
    party.leftUs += TURN_US;
    this.#parties.push(party);
  }
}
