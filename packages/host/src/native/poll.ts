import { declare } from './libc.ts';

const pollCall = declare('int poll(_Inout_ void *entries, ulong count, int timeout)');

const POLLIN = 0x001;
const POLLHUP = 0x010;

/** `struct pollfd`: descriptor, what is asked, what is so. */
const ENTRY_BYTES = 8;
const EVENTS_OFFSET = 4;
const FOUND_OFFSET = 6;

/** Asks of many sockets at once which of them the other end has closed; poll(2). */
export class HangUps {
  readonly #entries: Buffer;

  /** @param most how many sockets are asked of at a time */
  constructor(most: number) {
    this.#entries = Buffer.alloc(ENTRY_BYTES * most);
  }

  /** Looks at some sockets; {@link has} tells what was found. */
  look(sockets: readonly number[]): void {
    for (const [index, socket] of sockets.entries()) {
      this.#entries.writeInt32LE(socket, index * ENTRY_BYTES);
      this.#entries.writeInt16LE(POLLIN, index * ENTRY_BYTES + EVENTS_OFFSET);
      this.#entries.writeInt16LE(0, index * ENTRY_BYTES + FOUND_OFFSET);
    }
    pollCall(this.#entries, sockets.length, 0);
  }

  /** Whether the n-th of them is closed at its other end; it may have sent something before. */
  has(index: number): boolean {
    return (this.#entries.readInt16LE(index * ENTRY_BYTES + FOUND_OFFSET) & POLLHUP) !== 0;
  }
}
