import { TURN_DEBT_US_MAX, TURN_US } from './lane-limits.ts';
import { LinkedQueue } from './linked-queue.ts';
import type { TurnShare, Waiting } from './turn-share.ts';

/**
 * Decides whose turn it is, by time. Turn shares that have connections waiting stand in a line. The
 * connections of the first one are served until its turn is used up; then it goes to the end. So a share with
 * many busy connections, or costly requests, waits longer for each of them, and the other shares do not.
 */
export class Turns<T extends Waiting> {
  readonly #shares = new LinkedQueue<TurnShare>();

  get none(): boolean {
    return this.#shares.empty;
  }

  /** Adds a connection after the others of its share. */
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
    // A share is in the line because one of its connections waits, and only this line takes it away.
    const client = turnShare.waiting.shift() as T;
    client.waits = false;
    if (turnShare.waiting.empty) this.#shares.shift();
    return client;
  }

  /** Counts the time that a connection's turn has taken. */
  charge({ group }: T, us: number): void {
    group.turnShare.leftUs = Math.max(group.turnShare.leftUs - us, -TURN_DEBT_US_MAX);
  }

  /** Unused time is lost while a share is away; time that it has used too much still counts. */
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
