import type { Socket } from 'node:net';
import type { Share } from '../base/byte-shares.ts';
import { WRITE_GATHERED_MAX } from './connection-limits.ts';

/**
 * Answers on their way to one client: gathered, handed to its socket, and counted for as long as it does not take them.
 * When those of its owner hold too much, this client is cut off: it could read as slowly as it likes.
 */
export class Output {
  readonly #socket: Socket;
  readonly #untaken: Share;
  #gathered = '';
  #counted = 0;

  /** @param untaken what clients of the same owner have not taken */
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

  /** Hands to the socket what has been gathered. */
  flush(): void {
    if (this.#gathered !== '' && !this.#socket.destroyed) {
      this.#socket.write(this.#gathered);
      if (this.#socket.writableNeedDrain) this.#look();
    }
    this.#gathered = '';
  }

  /** A little that waits is not counted: nobody tells when it has been taken. */
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
