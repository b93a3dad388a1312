import { writeSync } from 'node:fs';
import { duplicate } from '../../native/descriptors.ts';
import { close } from '../../native/libc.ts';

/** Bytes that may wait for a program that does not read its terminal, before the sender has to wait. */
const WAITING_BYTES_HIGH = 64 * 1024;
/** A terminal does not tell when it takes more: another write is tried after this time. */
const RETRY_MS = 10;

/**
 * Writes to a terminal without ever waiting for the program at its other end. Node's own terminals wait, and
 * the whole daemon would wait with them, for as long as a guest does not read.
 */
export class TerminalInput {
  /** Null when it is closed, or no process has the other end open any more. */
  #fd: number | null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #onDrain: () => void = () => {};

  /** @param fd the master's end of a pty, not blocking; this class uses a duplicate of it */
  constructor(fd: number) {
    this.#fd = duplicate(fd);
  }

  /** @returns false when the writer should wait for the drain */
  write(data: Uint8Array): boolean {
    if (this.#fd === null) return true;
    this.#waiting.push(Buffer.from(data));
    this.#waitingBytes += data.length;
    if (this.#timer === undefined) this.#flush(this.#fd);
    return this.#waitingBytes < WAITING_BYTES_HIGH;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** Input that the terminal has not taken is lost. */
  close(): void {
    if (this.#fd === null) return;
    close(this.#fd);
    this.#fd = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    clearTimeout(this.#timer);
  }

  #flush(fd: number): void {
    this.#timer = undefined;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const written = tryWrite(fd, next);
      if (written === null) {
        this.close();
        return;
      }
      this.#waitingBytes -= written;
      if (written === next.length) continue;
      this.#waiting.unshift(next.subarray(written));
      this.#timer = setTimeout(() => this.#retry(fd), RETRY_MS);
      return;
    }
  }

  #retry(fd: number): void {
    this.#flush(fd);
    if (this.#waitingBytes < WAITING_BYTES_HIGH) this.#onDrain();
  }
}

/** How many bytes were taken; null when there is no other end. */
function tryWrite(fd: number, data: Buffer): number | null {
  try {
    return writeSync(fd, data);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : null;
  }
}
