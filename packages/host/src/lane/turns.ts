import { TURN_DEBT_US_MAX, TURN_US } from './lane-limits.ts';
import { LinkedQueue } from './linked-queue.ts';
import type { TurnShare, Waiting } from './turn-share.ts';

/**
 * Whose turn it is, by time: parties that have connections waiting stand in a line; the first one's connections are
 * served until its turn is used up, then it goes to the end. So a party with many busy connections, or costly
 * requests, waits longer for each of them, and nobody else does.
 */
export class Turns<T extends Waiting> {
  readonly #shares = new LinkedQueue<TurnShare>();

  get none(): boolean {
    return this.#shares.empty;
  }

  /** Puts a connection behind the others of its party. */
  add(client: T): void {
    if (client.waits) return;
    client.waits = true;
    const { turnShare } = client.group;
    if (turnShare.waiting.empty) this.#enter(turnShare);
    turnShare.waiting.push(client);
  }

  /** Takes the connection whose turn it is. */
  take(): T | undefined {
    let turnShare = this.#shares.first;
    if (turnShare === undefined) return undefined;
    for (; turnShare.leftUs <= 0; turnShare = this.#shares.first!) this.#goToTheEnd(turnShare);
    // A party stands in line because one of its connections waits, and only this takes it away.
    const client = turnShare.waiting.shift() as T;
    client.waits = false;
    if (turnShare.waiting.empty) this.#shares.shift();
    return client;
  }

  /** What a connection's turn has taken. */
  charge({ group }: T, us: number): void {
    group.turnShare.leftUs = Math.max(group.turnShare.leftUs - us, -TURN_DEBT_US_MAX);
  }

  /** What it did not use while it was away is gone; what it took too much it still has to wait for. */
  #enter(turnShare: TurnShare): void {
    turnShare.leftUs = Math.min(turnShare.leftUs, 0) + TURN_US;
    this.#shares.push(turnShare);
  }

  #goToTheEnd(turnShare: TurnShare): void {
    this.#shares.shift();
    turnShare.leftUs += TURN_US;
    this.#shares.push(turnShare);
  }
}
