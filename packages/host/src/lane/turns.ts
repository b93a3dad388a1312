import type { Client } from './client.ts';
import type { Group } from './group.ts';
import { Line } from './line.ts';

/**
 * Whose turn it is: groups that have connections waiting stand in a line; the first gets a turn for one of its
 * connections and goes to the end. So a group with many busy connections waits longer for each of them, and nobody
 * else does.
 */
export class Turns {
  readonly #groups = new Line<Group>();

  get none(): boolean {
    return this.#groups.empty;
  }

  /** Puts a connection behind the others of its group. */
  add(client: Client): void {
    if (client.waits) return;
    client.waits = true;
    const { group } = client;
    if (group.waiting.empty) this.#groups.push(group);
    group.waiting.push(client);
  }

  /** Takes the connection whose turn it is. */
  take(): Client | undefined {
    const group = this.#groups.shift();
    if (group === undefined) return undefined;
    // A group stands in line because one of its connections waits, and only this takes it away.
    const client = group.waiting.shift()!;
    client.waits = false;
    if (!group.waiting.empty) this.#groups.push(group);
    return client;
  }
}
