import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { compileCacheVariables } from '../base/compile-cache.ts';
import { within } from '../base/within.ts';

/** The guard loads while the daemon still serves, so no client waits. */
const LOAD_MS_MAX = 10_000;
/** All clients wait for this; it takes milliseconds on a host that is not overloaded. */
const HOLD_MS_MAX = 5_000;

const NOT_STARTED = 'it could not be started';

/** The guard's descriptor of its end of the channel. */
const CHANNEL = 3;

/**
 * A program that holds back the signals to this process while the process loads its program again. It is not
 * a child of this process, since the new program would not know that it has this child.
 */
export class Guard {
  readonly #channel: Duplex;
  readonly #answers: string[] = [];
  #wake = (): void => {};
  #failure = '';

  /** @param program the guard's script, for Node @param pid of this process */
  constructor(program: string, pid: number) {
    const child = spawn('setsid', ['-f', process.execPath, program, String(pid)], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      cwd: '/',
      env: { ...process.env, ...compileCacheVariables() },
    });
    this.#channel = child.stdio[CHANNEL] as Duplex;
    child.on('error', () => this.#channel.destroy());
    this.#channel.on('error', () => {});
    // Listens at once: when setsid exits, Node reads the pipe by itself, and answers would be lost.
    this.#channel.on('data', (text) => {
      this.#answers.push(...String(text).split('\n').slice(0, -1));
      this.#wake();
    });
    this.#channel.on('close', () => this.#wake());
  }

  /** Settles when the guard has loaded, has failed, or has not answered in time. */
  async loaded(): Promise<void> {
    this.#failure = await this.#answer(LOAD_MS_MAX);
  }

  /** Makes the guard hold back signals from now on. @returns why it cannot; empty if it does */
  async hold(): Promise<string> {
    if (this.#failure !== '') return this.#failure;
    this.#channel.write('hold');
    return this.#answer(HOLD_MS_MAX);
  }

  /** Ends the guard, which first sends this process the signals that it has held back. */
  leave(): void {
    this.#channel.end('leave');
  }

  async #answer(ms: number): Promise<string> {
    if (this.#answers.length === 0 && !this.#channel.destroyed) {
      const told = Promise.withResolvers<void>();
      this.#wake = told.resolve;
      await within(ms, told.promise);
    }
    return this.#answers.shift() ?? (this.#channel.destroyed ? NOT_STARTED : 'it does not answer');
  }
}
