import type { Client } from './client.ts';
import type { Group } from './group.ts';

/**
 * Whose turn it is: one connection of each group that has any waiting, then the next round. So a group with many
 * busy connections waits longer for each of them, and nobody else does.
 */
export class Turns {
  #round: Group[] = [];
  #next: Group[] = [];
  #at = 0;

  get none(): boolean {
    return this.#at >= this.#round.length && this.#next.length === 0;
  }

  /** Puts a connection behind the others of its group. */
  add(client: Client): void {
    if (client.waits) return;
    client.waits = true;
    const { group } = client;
    if (group.waiting.push(client) === 1) this.#next.push(group);
  }

  /** Takes the connection whose turn it is. */
  take(): Client | undefined {
    if (this.#at >= this.#round.length) this.#beginRound();
    const group = this.#round[this.#at++];
    if (group === undefined) return undefined;
    // A group is in a round because one of its connections waits, and only this takes it away.
    const client = group.waiting.shift()!;
    client.waits = false;
    if (group.waiting.length > 0) this.#next.push(group);
    return client;
  }

  #beginRound(): void {
    const done = this.#round;
    done.length = 0;
    this.#round = this.#next;
    this.#next = done;
    this.#at = 0;
  }
}
