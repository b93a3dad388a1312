import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { readLines } from '../../../guest/src/lines.ts';
import { until } from './api.ts';
import type { CallerTools } from './caller.ts';
import type { TestDaemon } from './daemon.ts';

/** An event as a guest gets it; `sequence` only after a request with `since`. */
export interface Event {
  readonly type: string;
  readonly timestamp: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly sequence?: number;
}

export type ListenerKind = 'websocket' | 'stream';

/** The instance in which a listener runs, by the host pid of its init. */
export interface ListenerPlace {
  readonly daemon: TestDaemon;
  readonly tools: CallerTools;
  readonly init: number;
}

/** A process of an instance that follows its events; `ended` settles when the daemon ends its stream. */
export class Listener {
  readonly events: Event[] = [];
  readonly lines: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = Promise.all([once(child, 'exit'), this.#read(child.stdout as Readable)]);
  }

  /** Reads lines. When the stream is cut in the middle of an event, that event does not count. */
  async #read(stdout: Readable): Promise<void> {
    for await (const text of readLines(stdout)) {
      const line = text.trimEnd();
      this.lines.push(line);
      if (line.startsWith('{')) this.events.push(JSON.parse(line) as Event);
    }
  }

  /** Opens a websocket or a plain stream (netcat) with this query, and waits until it is open. */
  static async open(
    { daemon, tools, init }: ListenerPlace,
    kind: ListenerKind,
    query = '',
  ): Promise<Listener> {
    const enter = ['-t', String(init), '-U', '-p', '-S', '0', '-G', '0', '--'];
    const child =
      kind === 'stream'
        ? spawn('nsenter', [...enter, 'nc.openbsd', '-U', daemon.guestSocket], {
            stdio: ['pipe', 'pipe', 'ignore'],
          })
        : tools.spawn(init, 'websocket.mjs', daemon.guestSocket, `/1.0/events${query}`);
    if (kind === 'stream') child.stdin?.write(`GET /1.0/events${query} HTTP/1.1\r\nHost: lxd\r\n\r\n`);
    const listener = new Listener(child);
    await until('the stream is open', () => listener.lines.some((line) => /^HTTP\/1\.1|^open$/.test(line)));
    return listener;
  }

  /** Waits for `count` events. @returns them */
  async first(count: number): Promise<Event[]> {
    await until(`${count} events`, () => this.events.length >= count);
    return this.events.slice(0, count);
  }

  /** Stops its process, or lets it continue: a stopped one stays connected and does not read. */
  freeze(frozen: boolean): void {
    this.#signal(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#signal('SIGKILL');
      await this.ended;
    }
  }

  /**
   * The listener is a child of the nsenter that the test has started. nsenter stops itself when its child
   * stops. If the test stopped it too, it could stop itself again after it continues, and stay stopped.
   */
  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    for (const each of children.split(' ').filter(Boolean)) process.kill(Number(each), signal);
    if (signal !== 'SIGSTOP') this.#child.kill(signal);
  }
}
