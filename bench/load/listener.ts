import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Peer } from '../peers/peer.ts';
import type { LoadTools } from './load-tools.ts';

const TARGET = '/1.0/events';
const EVENT_TIMEOUT_MS = 10_000;

/** An instance's WebSocket for events; it records when each event arrives. */
export class Listener implements Disposable {
  readonly #child: ChildProcess;
  readonly #came: bigint[] = [];
  #wake = () => {};

  private constructor(tools: LoadTools, peer: Peer) {
    this.#child = tools.spawn(peer, 'load', 'listen', peer.socket, TARGET);
    this.#child.on('error', () => {});
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#came.push(BigInt(line));
      this.#wake();
    });
  }

  /** Connects and waits until the server has accepted. */
  static async open(tools: LoadTools, peer: Peer): Promise<Listener> {
    const listener = new Listener(tools, peer);
    await listener.next();
    return listener;
  }

  /** When the next event arrived, in nanoseconds of the monotonic clock. @throws when none comes in time */
  async next(): Promise<bigint> {
    const deadline = performance.now() + EVENT_TIMEOUT_MS;
    while (this.#came.length === 0) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error('an event did not come');
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const timer = setTimeout(woken.resolve, left);
      await woken.promise;
      clearTimeout(timer);
    }
    return this.#came.shift() as bigint;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
