import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that the benchmarks have started, in a session of its own: Ctrl-C is for the benchmarks alone. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';

  constructor(command: readonly [string, ...string[]]) {
    this.#child = spawn(command[0], command.slice(1), {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#ended = once(this.#child, 'exit').catch(() => {});
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_CHARACTERS_MAX);
    });
  }

  get pid(): number {
    if (!this.#child.pid) throw new Error(`${this.#child.spawnfile} could not be started`);
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of what it has written to standard error. */
  get said(): string {
    return this.#said;
  }

  /**
   * Settles when it has said this on standard error, from now on.
   * @returns what it has said since, to this text at least
   * @throws when it ends instead
   */
  says(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let heard = '';
      const hear = (more: string) => {
        heard += more;
        if (!heard.includes(text)) return;
        this.#child.stderr?.off('data', hear);
        resolve(heard);
      };
      this.#child.stderr?.on('data', hear);
      void this.#ended.then(() => reject(new Error(`it has ended: ${this.#said.trim()}`)));
    });
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends it: politely, and firmly when that takes too long. */
  async stop(): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(late);
  }
}

const SAID_CHARACTERS_MAX = 4096;
const STOP_MS = 20_000;
