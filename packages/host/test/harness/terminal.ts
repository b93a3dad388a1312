import { spawn } from '@lydell/node-pty';
import { BIN } from './daemon.ts';

const SEEN_WITHIN_MS = 20_000;

const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]|\u0007/g;

/** A program on its own terminal, at which a test can type. */
export class Terminal {
  /** The output that `sees` has not passed yet, without escape sequences and bells. */
  text = '';
  readonly ended: Promise<number>;
  readonly #pty: ReturnType<typeof spawn>;
  #wake = () => {};

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const path = `${BIN}:${process.env['PATH']}`;
    const all = { ...(process.env as Record<string, string>), TERM: 'xterm', PATH: path, ...env };
    this.#pty = spawn(program, [...args], { cols: 200, rows: 50, env: all });
    this.#pty.onData((data) => {
      this.text = (this.text + data).replaceAll(ESCAPES, '');
      this.#wake();
    });
    this.ended = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  /**
   * Waits until a text is printed, and forgets all output up to it.
   * @throws after a while, with the output instead
   */
  async sees(text: string): Promise<void> {
    const timeout = AbortSignal.timeout(SEEN_WITHIN_MS);
    while (!this.text.includes(text)) {
      const more = Promise.withResolvers<void>();
      this.#wake = more.resolve;
      const give = () => more.reject(new Error(`no "${text}" came, but ${JSON.stringify(this.text)}`));
      timeout.addEventListener('abort', give, { once: true });
      await more.promise.finally(() => timeout.removeEventListener('abort', give));
    }
    this.text = this.text.slice(this.text.indexOf(text) + text.length);
  }

  close(): void {
    this.#pty.kill('SIGKILL');
  }
}
