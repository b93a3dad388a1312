import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../frame/wait.ts';
import type { LoadTools } from '../load/load-tools.ts';
import type { Peer } from '../peers/peer.ts';

/** What an instance reads of one key's events. */
export class GuestEvents implements Disposable {
  /** The new values, in the order of the events. */
  readonly values: string[] = [];
  readonly #child: ChildProcess;

  private constructor(tools: LoadTools, peer: Peer, key: string) {
    this.#child = tools.spawn(peer, 'load', 'follow', peer.socket, '/1.0/events?type=config');
    this.#child.on('error', () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('{')) this.#take(JSON.parse(line) as EventJson, key);
      else if (line.startsWith('HTTP/1.1 200 ')) this.#isOpen = true;
    });
  }

  #isOpen = false;

  /** Opens the stream of the instance whose namespaces `peer` names. */
  static async open(tools: LoadTools, peer: Peer, key: string): Promise<GuestEvents> {
    const events = new GuestEvents(tools, peer, key);
    await until('an instance reads its events', () => events.#isOpen);
    return events;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #take({ metadata }: EventJson, key: string): void {
    if (metadata.key === key) this.values.push(metadata.value);
  }
}

interface EventJson {
  readonly metadata: { readonly key: string; readonly value: string };
}
