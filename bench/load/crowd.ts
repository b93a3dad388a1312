import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onCore } from '../frame/cores.ts';
import type { LoadTools } from './load-tools.ts';

/** An event that one of the containers got. */
export interface Arrival {
  readonly number: number;
  /** Nanoseconds of the monotonic clock. */
  readonly at: bigint;
}

/** Thousands of containers that connect at once take seconds. */
const ORDER_TIMEOUT_MS = 60_000;

/** Many tiny containers. Each is one process in its own user and PID namespaces; see `native/crowd.c`. */
export class Crowd implements AsyncDisposable {
  /** Host pids of the containers' first processes. */
  readonly pids: number[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;
  #done: number[] = [];
  #arrived: Arrival[] = [];
  #closed: number[] = [];
  #progress = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the crowd has ended with ${code ?? signal}`);
    });
    this.#ended.catch(() => {});
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#read(line));
  }

  /** Starts `count` containers and waits until all exist. @param socket the guest API's socket */
  static async make(tools: LoadTools, socket: string, count: number, firstUid: number): Promise<Crowd> {
    const command = [tools.path('crowd'), String(count), String(firstUid), socket];
    const [program, ...args] = onCore('load', command);
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const crowd = new Crowd(spawn(program, args, { cwd: '/', stdio: [...stdio], detached: true }));
    await crowd.#until(() => crowd.pids.length === count);
    return crowd;
  }

  /** Each of the first `count` containers makes a request on `connections` connections, and keeps them. */
  hold(count: number, connections: number): Promise<readonly number[]> {
    return this.#order('hold', count, connections);
  }

  /** Each of the first `count` containers opens a WebSocket for events. */
  listen(count: number): Promise<readonly number[]> {
    return this.#order('listen', count);
  }

  /** The first `count` containers stop reading events; their WebSockets stay open. */
  stopReading(count: number): Promise<readonly number[]> {
    return this.#order('stop', count);
  }

  /** The first `count` containers read events again. */
  resumeReading(count: number): Promise<readonly number[]> {
    return this.#order('resume', count);
  }

  /** The first `count` containers do what cloud-init does at boot. @returns how long each took, in ms */
  storm(count: number): Promise<readonly number[]> {
    return this.#order('storm', count);
  }

  /** The first `count` containers close all their connections. */
  leave(count: number): Promise<readonly number[]> {
    return this.#order('leave', count);
  }

  /** Waits for the next event of any container. @throws when the server closes a WebSocket first */
  async nextEvent(): Promise<Arrival> {
    await this.#until(() => this.#arrived.length + this.#closed.length > 0);
    if (this.#arrived.length === 0) throw new Error(`a WebSocket was closed with ${this.#closed.shift()}`);
    return this.#arrived.shift() as Arrival;
  }

  /**
   * Waits until the server closes a WebSocket.
   * @returns its close code, and how many events came before it
   */
  async nextClose(): Promise<{ readonly code: number; readonly events: number }> {
    await this.#until(() => this.#closed.length > 0);
    return { code: this.#closed.shift() as number, events: this.#arrived.splice(0).length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  async #order(name: string, count: number, argument = 0): Promise<readonly number[]> {
    this.#done = [];
    this.#child.stdin?.write(`${name} ${count} ${argument}\n`);
    await this.#until(() => this.#done.length === count);
    return this.#done;
  }

  async #until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + ORDER_TIMEOUT_MS;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error('the crowd has not done what it was told');
      const progress = Promise.withResolvers<void>();
      this.#progress = progress.resolve;
      const timer = setTimeout(progress.resolve, left);
      await Promise.race([progress.promise, this.#ended]).finally(() => clearTimeout(timer));
    }
  }

  #read(line: string): void {
    const [what, number, value] = line.split(' ') as [string, string, string];
    if (what === 'made') this.pids.push(Number(value));
    else if (what === 'done') this.#done.push(Number(value) / NS_PER_MS);
    else if (what === 'closed') this.#closed.push(Number(value));
    else this.#arrived.push({ number: Number(number), at: BigInt(value) });
    this.#progress();
  }
}

const NS_PER_MS = 1e6;
