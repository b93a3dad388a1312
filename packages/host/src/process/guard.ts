import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { compileCacheVariables } from '../base/compile-cache.ts';
import { within } from '../base/within.ts';

/** It loads while the daemon still serves: nobody waits for that. */
const LOAD_MS_MAX = 10_000;
/** Everybody waits for this, which takes milliseconds on a host that is not overloaded. */
const HOLD_MS_MAX = 5_000;

const NOT_STARTED = 'it could not be started';

/** The descriptor at which it finds its end of the channel. */
const CHANNEL = 3;

/**
 * A program that keeps the signals to this process while another program takes this one's place. It is nobody's
 * child, since its parent would not know of it any more.
 */
export class Guard {
  readonly #channel: Duplex;
  readonly #answers: string[] = [];
  #told = (): void => {};
  #failure = '';

  /** @param program of the guard, for Node @param pid of this process */
  constructor(program: string, pid: number) {
    const child = spawn('setsid', ['-f', process.execPath, program, String(pid)], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      cwd: '/',
      env: { ...process.env, ...compileCacheVariables() },
    });
    this.#channel = child.stdio[CHANNEL] as Duplex;
    child.on('error', () => this.#channel.destroy());
    this.#channel.on('error', () => {});
    // From the beginning: Node reads on by itself when the one that has started it ends.
    this.#channel.on('data', (text) => {
      this.#answers.push(...String(text).split('\n').slice(0, -1));
      this.#told();
    });
    this.#channel.on('close', () => this.#told());
  }

  /** Settles when it has loaded, or will not. */
  async loaded(): Promise<void> {
    this.#failure = await this.#answer(LOAD_MS_MAX);
  }

  /** Has it take the signals from now on. @returns why it cannot; empty when it does */
  async hold(): Promise<string> {
    if (this.#failure !== '') return this.#failure;
    this.#channel.write('hold');
    return this.#answer(HOLD_MS_MAX);
  }

  /** Has it let go, and send this process what it has taken. */
  leave(): void {
    this.#channel.end('leave');
  }

  async #answer(ms: number): Promise<string> {
    if (this.#answers.length === 0 && !this.#channel.destroyed) {
      const told = Promise.withResolvers<void>();
      this.#told = told.resolve;
      await within(ms, told.promise);
    }
    return this.#answers.shift() ?? (this.#channel.destroyed ? NOT_STARTED : 'it does not answer');
  }
}
