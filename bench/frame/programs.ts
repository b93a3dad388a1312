import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A server that the benchmarks started. It has its own session, so that Ctrl-C reaches only the benchmarks.
 */
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

  /** The last `SAID_CHARACTERS_MAX` characters that it wrote to standard error. */
  get said(): string {
    return this.#said;
  }

  /** Passes on all that it writes to standard error from now on. */
  hear(listener: (text: string) => void): void {
    this.#child.stderr?.on('data', listener);
  }

  /**
   * Waits until it has written `text` to standard error after this call.
   * @returns all that it has written since the call, `text` included
   * @throws when it ends first
   */
  says(text: string): Promise<string> {
    const said = new Promise<string>((resolve, reject) => {
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
    // The caller may have failed meanwhile, and does not wait any more.
    said.catch(() => {});
    return said;
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends it with SIGTERM, or with SIGKILL when that takes longer than `STOP_MS`. */
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
