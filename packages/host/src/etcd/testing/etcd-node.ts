import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { until } from '../../base/testing/until.ts';
import { within } from '../../base/within.ts';

/** etcd writes this to its log when it knows a leader. */
const READY = 'serving client traffic';

/** Longer than a start takes on a busy machine. */
const READY_MS = 60_000;

/** Lines of the log that are kept for error messages. */
const LOG_LINES_MAX = 200;

/** A real etcd node. It keeps its data over `kill` and `start`. */
export class EtcdNode {
  readonly name: string;
  /** URL for clients. */
  readonly endpoint: string;
  readonly #command: readonly string[];
  #process: ChildProcess | undefined;
  #log: string[] = [];
  #ready = Promise.withResolvers<void>();
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];

  /** @param command with its arguments */
  constructor(name: string, endpoint: string, command: readonly string[]) {
    this.name = name;
    this.endpoint = endpoint;
    this.#command = command;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error(`etcd ${this.name} does not run`);
    return this.#process.pid;
  }

  /** Waits for the next line of its log that matches. */
  logged(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  /** Starts it (again). It is ready when enough nodes run to elect a leader. */
  start(): void {
    // It ends also if the tests are killed.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...this.#command], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    const ready = Promise.withResolvers<void>();
    this.#ready = ready;
    ready.promise.catch(() => {});
    child.on('error', ready.reject);
    child.on('close', (code, signal) =>
      ready.reject(new Error(`etcd ${this.name} ended with ${code ?? signal}:\n${this.#log.join('\n')}`)),
    );
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
      if (line.includes(READY)) ready.resolve();
      this.#tell(line);
    });
  }

  #tell(line: string): void {
    for (const { pattern, resolve } of this.#waiting) if (pattern.test(line)) resolve();
    this.#waiting = this.#waiting.filter(({ pattern }) => !pattern.test(line));
  }

  /** Resolves when it serves clients. @throws Error with its log, if it ends before, or takes too long */
  async ready(): Promise<void> {
    if (!(await within(READY_MS, this.#ready.promise)))
      throw new Error(`etcd ${this.name} does not get ready:\n${this.#log.join('\n')}`);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops its process: it holds its connections and answers nothing. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    await until(() => statesOf(this.pid).every((state) => state === 'T'));
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }
}

/** The kernel's letters for the states of all its threads. */
function statesOf(pid: number): string[] {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).map((id) => {
    const stat = readFileSync(`${threads}/${id}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '';
  });
}
