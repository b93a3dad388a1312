import type { ExecProcess } from '../contract/exec.ts';

/** Bytes in one piece of input: as much as a terminal holds. */
const PIECE_BYTES = 4096;
/** If more bytes than this wait here, the sender has to wait. */
const WAITING_BYTES_HIGH = 64 * 1024;
/** Interval of the check whether the monitor waits, and number of checks after the last piece, which may come late. */
const LOOK_MS = 20;
const LOOKS_AFTER = 25;
/** How long the guest may read nothing while the monitor waits for it. */
const PATIENCE_MS = 1_000;

/** What LXC's monitor does with the input. */
export interface MonitorInput {
  /** The monitor's wait for the guest: the same value while the guest reads nothing; null when it does not wait. */
  wait(): string | null;
  /** Ends the monitor's wait: the input that the guest has not read is lost. */
  drop(): void;
}

/**
 * The input of lxc-console. If the guest does not read the input, LXC's monitor waits, and so does every other command
 * for the instance. So this class drops the input after a moment, as a serial line does.
 */
export class ConsoleInput {
  readonly #pty: Pick<ExecProcess, 'write' | 'onDrain'>;
  readonly #monitor: MonitorInput;
  #waiting: Uint8Array = new Uint8Array();
  #timer: NodeJS.Timeout | undefined;
  #looksLeft = 0;
  #wait: { readonly id: string; readonly since: number } | null = null;
  #dropping = false;
  /** Whether lxc-console does not read. */
  #stopped = false;
  /** Whether the writer waits for the drain. */
  #full = false;
  #onDrain: () => void = () => {};

  constructor(pty: Pick<ExecProcess, 'write' | 'onDrain'>, monitor: MonitorInput) {
    this.#pty = pty;
    this.#monitor = monitor;
    pty.onDrain(() => {
      this.#stopped = false;
    });
  }

  /** @returns false when the writer should wait for the drain */
  write(data: Uint8Array): boolean {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    this.#look();
    this.#full = this.#waiting.length >= WAITING_BYTES_HIGH;
    return !this.#full;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** Checks for a moment after the last piece, also when the client has gone. */
  #look(): void {
    clearTimeout(this.#timer);
    const id = this.#monitor.wait();
    if (id === null) this.#passOn();
    else this.#beWaitedFor(id);
    const goesOn = this.#wait !== null || this.#looksLeft > 0 || this.#waiting.length > 0;
    if (goesOn) this.#timer = setTimeout(() => this.#look(), LOOK_MS).unref();
    else this.#dropping = false;
    if (!this.#full || this.#waiting.length >= WAITING_BYTES_HIGH) return;
    this.#full = false;
    this.#onDrain();
  }

  #passOn(): void {
    this.#wait = null;
    if (this.#looksLeft > 0) this.#looksLeft--;
    if (this.#waiting.length === 0 || this.#stopped) return;
    this.#stopped = !this.#pty.write(this.#waiting.subarray(0, PIECE_BYTES));
    this.#waiting = this.#waiting.subarray(PIECE_BYTES);
    this.#looksLeft = LOOKS_AFTER;
  }

  #beWaitedFor(id: string): void {
    const now = performance.now();
    if (this.#wait?.id !== id) this.#wait = { id, since: now };
    if (!this.#dropping && now - this.#wait.since < PATIENCE_MS) return;
    // More input may still arrive; it is dropped at once.
    this.#dropping = true;
    this.#waiting = new Uint8Array();
    this.#looksLeft = LOOKS_AFTER;
    this.#monitor.drop();
  }
}
