import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';

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
  #failure = '';

  /** @param program of the guard, for Node @param pid of this process */
  constructor(program: string, pid: number) {
    const child = spawn('setsid', ['-f', process.execPath, program, String(pid)], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      cwd: '/',
    });
    this.#channel = child.stdio[CHANNEL] as Duplex;
    child.on('error', () => this.#channel.destroy());
    this.#channel.on('error', () => {});
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
    if (this.#channel.destroyed) return NOT_STARTED;
    const answer = Promise.withResolvers<string>();
    this.#channel.once('data', (text) => answer.resolve(String(text).trim()));
    this.#channel.once('close', () => answer.resolve(NOT_STARTED));
    const timer = setTimeout(() => answer.resolve('it does not answer'), ms);
    const failure = await answer.promise;
    clearTimeout(timer);
    return failure;
  }
}
