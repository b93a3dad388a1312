import type { Socket } from 'node:net';
import type { Share } from '../base/byte-shares.ts';
import { WRITE_GATHERED_MAX } from './connection-limits.ts';

/**
 * Answers to one client: gathers them, writes them to the socket, and counts the bytes that the client does
 * not take. When the clients of its owner leave too much untaken, this client is cut off: otherwise it could
 * read as slowly as it likes.
 */
export class Output {
  readonly #socket: Socket;
  readonly #untaken: Share;
  #gathered = '';
  #counted = 0;

  /** @param untaken bytes that clients of the same owner have not taken */
  constructor(socket: Socket, untaken: Share) {
    this.#socket = socket;
    this.#untaken = untaken;
    const look = () => this.#look();
    socket.on('drain', look);
    socket.on('close', look);
  }

  add(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length > WRITE_GATHERED_MAX) this.flush();
  }

  /** Writes the gathered answers to the socket. */
  flush(): void {
    if (this.#gathered !== '' && !this.#socket.destroyed) {
      this.#socket.write(this.#gathered);
      if (this.#socket.writableNeedDrain) this.#look();
    }
    this.#gathered = '';
  }

  /** Few waiting bytes are not counted: no event says when the client has taken them. */
  #look(): void {
    const { destroyed, writableNeedDrain, writableLength } = this.#socket;
    const waits = destroyed || !writableNeedDrain ? 0 : writableLength;
    const more = waits - this.#counted;
    if (more > 0 && !this.#untaken.hasRoom(more)) {
      this.#socket.destroy();
      return;
    }
    this.#untaken.count(more);
    this.#counted = waits;
  }
}
