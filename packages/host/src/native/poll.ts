import { declare } from './libc.ts';

const pollCall = declare('int poll(_Inout_ void *entries, ulong count, int timeout)');

const POLLIN = 0x001;
const POLLHUP = 0x010;

/** `struct pollfd`: descriptor, events asked for, events found. */
const ENTRY_BYTES = 8;
const EVENTS_OFFSET = 4;
const FOUND_OFFSET = 6;

/** Finds out which of many sockets the other end has closed, with one call; poll(2). */
export class HangUps {
  readonly #entries: Buffer;

  /** @param most how many sockets one call may look at */
  constructor(most: number) {
    this.#entries = Buffer.alloc(ENTRY_BYTES * most);
  }

  /** Looks at some sockets; {@link has} returns the findings. */
  look(sockets: readonly number[]): void {
    for (const [index, socket] of sockets.entries()) {
      this.#entries.writeInt32LE(socket, index * ENTRY_BYTES);
      this.#entries.writeInt16LE(POLLIN, index * ENTRY_BYTES + EVENTS_OFFSET);
      this.#entries.writeInt16LE(0, index * ENTRY_BYTES + FOUND_OFFSET);
    }
    pollCall(this.#entries, sockets.length, 0);
  }

  /** Whether the other end of the n-th socket is closed; it may have sent something before. */
  has(index: number): boolean {
    return (this.#entries.readInt16LE(index * ENTRY_BYTES + FOUND_OFFSET) & POLLHUP) !== 0;
  }
}
