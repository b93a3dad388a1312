import type { Limits } from '../http/connection-limits.ts';
import { AGAIN, BROKEN, receive, transmit } from '../native/sockets.ts';
import type { Client } from './client.ts';
import type { Connections } from './connections.ts';
import type { Answered } from './known-answers.ts';
import { READ_BYTES, TURN_US, WRITE_BYTES } from './lane-limits.ts';

const NOTHING = Buffer.alloc(0);
const TURN_MS = TURN_US / 1000;

/** How a connection's turn ended. */
export type Served =
  /** At rest: everything that came is answered. */
  | 'rests'
  /** There may be more to read. */
  | 'goes-on'
  /** Closed, or handed over. */
  | 'gone';

/**
 * Serves one connection for one turn: reads once, answers complete plain requests for as long as the turn
 * lasts, writes once. Everything else is handed over to the main server, with its bytes: a request that is
 * incomplete or not plain, an answer that is too large or that the client does not take.
 */
export class Serving {
  readonly #connections: Connections;
  readonly #limits: Limits;
  readonly #input = Buffer.alloc(READ_BYTES);
  readonly #output = Buffer.alloc(WRITE_BYTES);
  #gathered = 0;
  #nowMs = 0;

  constructor(connections: Connections, limits: Limits) {
    this.#connections = connections;
    this.#limits = limits;
  }

  serve(client: Client, nowMs: number): Served {
    this.#gathered = 0;
    this.#nowMs = nowMs;
    const { unread } = client;
    if (client.closing) return this.#drop(client);
    if (unread !== undefined) {
      client.unread = undefined;
      return this.#answerAll(client, unread, unread.length);
    }
    const count = receive(client.fd, this.#input);
    if (count > 0) {
      client.asked = true;
      return this.#answerAll(client, this.#input, count);
    }
    if (count === AGAIN) return 'rests';
    this.#connections.close(client);
    return 'gone';
  }

  /**
   * Closes a connection that is at rest. Hands over one that is not, or that never asked anything. Unknown
   * callers are answered here, and closed.
   * @param leave hands over connections at rest as well
   */
  end(client: Client, leave: boolean): void {
    if (client.closing || client.group.isUnknown) {
      if (this.serve(client, performance.now()) !== 'gone') this.#connections.close(client);
      return;
    }
    const unread = client.unread ?? this.#receiveLast(client);
    if (unread === undefined || (unread.length === 0 && client.asked && !leave))
      this.#connections.close(client);
    else this.#connections.handOver(client, { unread });
  }

  /** Drops the bytes of a client that has got its last answer. */
  #drop(client: Client): Served {
    const count = receive(client.fd, this.#input);
    if (count === AGAIN) return 'rests';
    if (count > 0) return 'goes-on';
    this.#connections.close(client);
    return 'gone';
  }

  #receiveLast(client: Client): Buffer | undefined {
    const count = receive(client.fd, this.#input);
    if (count === AGAIN) return NOTHING;
    return count > 0 ? copyOf(this.#input, 0, count) : undefined;
  }

  #answerAll(client: Client, bytes: Buffer, end: number): Served {
    const { answers } = client.group;
    let at = 0;
    while (at < end) {
      const answer = answers.find(bytes, at, end, this.#limits);
      if (answer === undefined || !isForLane(answer, end - at)) return this.#leave(client, bytes, at, end);
      if (this.#gathered + answer.bytes > WRITE_BYTES && !this.#flush(client, bytes, at, end)) return 'gone';
      this.#gather(answer);
      at += answer.length;
      if (answer.close) return this.#finish(client);
      if (at < end && performance.now() - this.#nowMs >= TURN_MS) break;
    }
    if (!this.#flush(client, bytes, at, end)) return 'gone';
    if (at < end) client.unread = copyOf(bytes, at, end);
    // epoll does not report again what came while these bytes waited.
    return at < end || end === READ_BYTES || bytes !== this.#input ? 'goes-on' : 'rests';
  }

  #gather({ text, bytes }: Answered): void {
    // For ASCII text latin1 gives the same bytes, and is faster.
    this.#output.write(text, this.#gathered, bytes === text.length ? 'latin1' : 'utf8');
    this.#gathered += bytes;
  }

  /** The client has sent nothing more, so closing cannot cause a reset. */
  #finish(client: Client): Served {
    if (this.#flush(client, NOTHING, 0, 0, true)) this.#connections.close(client);
    return 'gone';
  }

  #leave(client: Client, bytes: Buffer, at: number, end: number): Served {
    if (client.group.isUnknown) return this.#refuse(client, bytes, at, end);
    if (this.#flush(client, bytes, at, end)) {
      this.#connections.handOver(client, { unread: copyOf(bytes, at, end) });
    }
    return 'gone';
  }

  /** Gives an unknown caller its last answer; other callers are handed over. */
  #refuse(client: Client, bytes: Buffer, at: number, end: number): Served {
    const text = client.group.answers.lastAnswer(bytes, at, end, this.#limits);
    const length = Buffer.byteLength(text);
    if (length > WRITE_BYTES || !this.#flush(client, NOTHING, 0, 0)) {
      if (!client.gone) this.#connections.close(client);
      return 'gone';
    }
    this.#output.write(text, 'utf8');
    this.#gathered = length;
    if (!this.#flush(client, NOTHING, 0, 0)) return 'gone';
    this.#connections.linger(client, this.#nowMs);
    return 'goes-on';
  }

  /**
   * Writes the gathered answers; the bytes at `at`..`end` are not answered yet. False when the client is
   * gone, or was handed over because it does not take the answers.
   */
  #flush(client: Client, bytes: Buffer, at: number, end: number, last = false): boolean {
    const gathered = this.#gathered;
    if (gathered === 0) return true;
    this.#gathered = 0;
    const taken = transmit(client.fd, this.#output, gathered);
    if (taken === gathered) return true;
    if (taken === BROKEN) this.#connections.close(client);
    else {
      const unsent = copyOf(this.#output, Math.max(taken, 0), gathered);
      this.#connections.handOver(client, { unread: copyOf(bytes, at, end), unsent, last });
    }
    return false;
  }
}

/** Requests after a last one are left to the main server, which drops them and waits for the client's end. */
function isForLane(answer: Answered, bytesLeft: number): boolean {
  return answer.bytes <= WRITE_BYTES && (!answer.close || answer.length === bytesLeft);
}

/** A copy in separate memory: bytes that are sent to another thread take their whole buffer along. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
