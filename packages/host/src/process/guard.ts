import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';

/** The guard has loaded by the time that it is asked; if it has not, the machine is too slow to wait for it. */
const ANSWER_MS_MAX = 5_000;

/** The descriptor at which it finds its end of the channel. */
const CHANNEL = 3;

/**
 * A program that keeps the signals to this process while another program takes this one's place. It is nobody's
 * child, since its parent would not know of it any more.
 */
export class Guard {
  readonly #channel: Duplex;

  /** @param program of the guard, for Node @param pid of this process */
  constructor(program: string, pid: number) {
    const child = spawn('setsid', ['-f', process.execPath, program, String(pid)], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      cwd: '/',
    });
    this.#channel = child.stdio[CHANNEL] as Duplex;
    child.on('error', (error) => this.#channel.destroy(error));
    this.#channel.on('error', () => {});
  }

  /** Has it take the signals from now on. @returns why it cannot; empty when it does */
  async hold(): Promise<string> {
    const answer = Promise.withResolvers<string>();
    this.#channel.once('data', (text) => answer.resolve(String(text).trim()));
    this.#channel.once('close', () => answer.resolve('it could not be started'));
    const timer = setTimeout(() => answer.resolve('it does not answer'), ANSWER_MS_MAX);
    this.#channel.write('hold');
    const failure = await answer.promise;
    clearTimeout(timer);
    return failure;
  }

  /** Has it let go, and send this process what it has taken. */
  leave(): void {
    this.#channel.end('leave');
  }
}
