import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that runs for a while and prints lines, in its own session. */
export class Task implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #first = Promise.withResolvers<void>();
  #said = '';

  constructor(name: string, command: readonly [string, ...string[]]) {
    const [program, ...args] = command;
    this.#name = name;
    this.#child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const hear = (text: string) => {
      this.#said += text;
    };
    this.#ended = once(this.#child, 'close').catch((error: Error) => hear(error.message));
    this.#child.stderr?.setEncoding('utf8').on('data', hear);
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#lines.push(line);
      this.#first.resolve();
    });
    void this.#ended.then(() => this.#first.resolve());
  }

  /** Waits until it has printed its first line. @throws when it ends without one */
  async ready(): Promise<void> {
    await this.#first.promise;
    if (this.#lines.length === 0) throw this.#failure();
  }

  /** Waits until it ends. @returns its last line, parsed as JSON */
  async result<T>(): Promise<T> {
    await this.#ended;
    const last = this.#lines.at(-1);
    if (this.#child.exitCode !== 0 || last === undefined) throw this.#failure();
    return JSON.parse(last) as T;
  }

  /** Ends it with SIGKILL. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #failure(): Error {
    const { exitCode, signalCode } = this.#child;
    return new Error(`${this.#name} ended with ${exitCode ?? signalCode}: ${this.#said.trim()}`);
  }
}
