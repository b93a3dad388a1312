import type { ExecProcess } from '../contract/exec.ts';

/**
 * lxc-console prints this when it has the console, before any byte of the guest. It may come before its pty passes all
 * bytes on unchanged: then the pty has added a carriage return.
 */
const GREETING_END = /to enter Ctrl\+a itself\r?\n/;
/** More than the greeting has. */
const GREETING_BYTES_MAX = 1024;

/**
 * How long a console waits for a client that does not take its output. LXC's monitor waits meanwhile, and with
 * it every other command for the instance; so then output is dropped, as on a serial line.
 */
const PATIENCE_MS = 100;

type Pty = Pick<ExecProcess, 'onOutput' | 'pause' | 'resume'>;

/** The output of lxc-console without its greeting. It never stops for long. */
export class ConsoleOutput {
  /** Settles when lxc-console has the console. */
  readonly attached: Promise<void>;
  readonly #pty: Pty;
  readonly #settle: () => void;
  /** Null when it has passed. */
  #greeting: Buffer | null = Buffer.alloc(0);
  #listener: Parameters<ExecProcess['onOutput']>[0] = () => {};
  #early: Buffer = Buffer.alloc(0);
  #paused = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(pty: Pty) {
    this.#pty = pty;
    const attached = Promise.withResolvers<void>();
    this.attached = attached.promise;
    this.#settle = attached.resolve;
    pty.onOutput((_fd, data) => {
      if (this.#greeting) this.#greet(Buffer.concat([this.#greeting, data]));
      else if (this.#paused) this.#wait();
      else this.#listener(1, data);
    });
  }

  onOutput(listener: Parameters<ExecProcess['onOutput']>[0]): void {
    this.#listener = listener;
    if (this.#early.length > 0) listener(1, this.#early);
    this.#early = Buffer.alloc(0);
    if (!this.#paused) this.#pty.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#wait();
  }

  resume(): void {
    this.#paused = false;
    this.close();
    this.#pty.resume();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #greet(greeting: Buffer): void {
    const end = GREETING_END.exec(greeting.toString('latin1'));
    this.#greeting = greeting;
    if (!end && greeting.length < GREETING_BYTES_MAX) return;
    this.#greeting = null;
    this.#early = end ? greeting.subarray(end.index + end[0].length) : greeting;
    // Nothing more is read until the output has a listener.
    this.#pty.pause();
    this.#settle();
  }

  #wait(): void {
    this.#pty.pause();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#pty.resume();
    }, PATIENCE_MS);
  }
}
