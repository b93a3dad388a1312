import type { Socket } from 'node:net';
import { type EndReason, unsentBytes } from '../base/sockets.ts';
import type { Application, Request } from './application.ts';
import { sendBody } from './body-writer.ts';
import { type Limits, PIECE_MS, UNASKED_GRACE_MS } from './connection-limits.ts';
import type { ConnectionState, Owner } from './connection-state.ts';
import type { Turn } from './fair-turns.ts';
import { failureAnswer, type HttpFailure } from './http-errors.ts';
import { Output } from './output.ts';
import { CONTINUE, EXPECTATION_FAILED, ownAnswer } from './own-answers.ts';
import { Patience } from './patience.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader } from './request-reader.ts';
import {
  type HeldReply,
  type Hijacker,
  type HijackReply,
  type Reply,
  type StreamReply,
  streamAnswerHead,
  textAnswer,
} from './response.ts';

/**
 * One client connection. Invariants:
 * - Requests are answered one at a time and in order.
 * - Bytes that a client sends are only gathered when they come. They are parsed when the turn of its owner
 *   comes, for `PIECE_MS` at most.
 * - While nothing is read, the socket is paused, so a client can make the server hold one head or body, one
 *   read of the socket, and one answer.
 * - A half-closed client gets all its answers; then the server closes its side too.
 * - There is no timer here: the server's one timer calls `sweep`, which checks what is overdue.
 */
export class Connection<Peer> {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #application: Application<Peer>;
  readonly #limits: Limits;
  /** Does work when it is the turn of the owner. */
  readonly #turn: Turn;
  #state: ConnectionState = 'reading';
  readonly #reader: RequestReader;
  /** The head of the last request. */
  #head: RequestHead | undefined;
  #hijacker: Hijacker | undefined;
  /** Makes the held answer come at once. */
  #release: (() => void) | undefined;
  readonly #output: Output;
  #ended = false;
  #stopping = false;
  /** Whether the connection waits for its turn. */
  #queued = false;
  #goesOn = false;
  readonly #patience: Patience;

  constructor(socket: Socket, peer: Peer, application: Application<Peer>, limits: Limits, owner: Owner) {
    this.#socket = socket;
    this.peer = peer;
    this.#application = application;
    this.#limits = limits;
    this.#turn = owner.turn;
    this.#reader = new RequestReader(limits, (head) => application.readsBody(peer, head));
    this.#output = new Output(socket, owner.untaken);
    this.#patience = new Patience(socket, limits);
    this.#patience.wait(limits.idleTimeoutMs, performance.now());
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', () => this.#release?.());
    socket.on('drain', this.#onDrain);
  }

  /** The connection is between requests, and holds no byte of a request or an answer. */
  get silent(): boolean {
    return this.#state === 'reading' && this.#rests && !this.#queued && unsentBytes(this.#socket) === 0;
  }

  /** No byte of a request is here or in the socket, which still reads for a moment after it is paused. */
  get #rests(): boolean {
    return this.#reader.silent && this.#socket.readableLength === 0;
  }

  /** Ends the connection at once, in any state. */
  destroy(reason: EndReason = 'ended'): void {
    if (this.#hijacker !== undefined) this.#hijacker.close(reason);
    else this.#socket.destroy();
  }

  /** Ends the connection after its current request; one that has asked nothing yet gets a moment for it. */
  shutdown(nowMs: number, reason: EndReason): void {
    this.#stopping = true;
    this.#release?.();
    if (this.#state === 'hijacked') this.destroy(reason);
    if (this.#state !== 'reading' || !this.#rests) return;
    if (this.#head !== undefined) this.close();
    else this.#patience.waitAtMost(UNASKED_GRACE_MS, nowMs);
  }

  /** Ends a connection that has taken too long. Called at intervals with the monotonic time. */
  sweep(nowMs: number): void {
    if (this.#state === 'hijacked') return;
    const overdue = this.#patience.overdue(nowMs, this.#state === 'closing');
    if (overdue === undefined) return;
    if (overdue === 'stalled') this.#socket.destroy();
    // The client is not at fault while the server makes an answer, or the connection waits for its turn.
    else if (this.#queued || this.#state === 'answering') return;
    else if (this.#state === 'reading' && !this.#reader.silent) this.fail('request-timeout');
    else this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'closing') return;
    this.#release?.();
    if (this.#state === 'reading' && this.#reader.silent)
      this.#patience.wait(this.#limits.requestTimeoutMs, performance.now());
    if (this.#reader.append(chunk)) this.#queue();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#release?.();
    if (this.#state === 'closing') this.#socket.destroySoon();
    else this.#queue();
  };

  readonly #onDrain = (): void => {
    if (this.#state !== 'draining') return;
    this.#nextRequest();
    this.#queue();
  };

  /** Waits for its turn, then works; until then nothing is read. */
  #queue(): void {
    if (this.#queued || this.#state !== 'reading') return;
    this.#queued = true;
    this.#turn(this.#goOn);
    if (this.#queued) this.#socket.pause();
  }

  readonly #goOn = (): void => {
    this.#queued = false;
    this.#work();
  };

  /** Answers the requests that have come in, then writes the answers to the socket. */
  #work(first = () => {}): void {
    const untilMs = performance.now() + PIECE_MS;
    try {
      first();
      while (this.#step()) if (performance.now() >= untilMs) break;
      this.#output.flush();
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    if (this.#state !== 'reading' || this.#socket.destroyed) return;
    if (this.#socket.writableNeedDrain) this.#setState('draining');
    else if (this.#goesOn && (this.#ended || !this.#rests)) this.#queue();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Handles a fault of the server outside any handler: logs it, and ends only this connection. */
  #giveUp(error: unknown): void {
    this.#application.failed(error, this.peer, this.#head);
    this.#socket.destroy();
  }

  /** One step; false if the next one needs more bytes, or something else has to happen first. */
  #step(): boolean {
    this.#goesOn = false;
    if (this.#socket.destroyed || this.#state !== 'reading') return false;
    const reading = this.#reader.read(this.#ended);
    this.#goesOn = reading !== 'more';
    if (reading === 'more') {
      if (this.#rests && (this.#ended || (this.#stopping && this.#head !== undefined))) this.close();
      return false;
    }
    if (reading === 'continue') this.#output.add(CONTINUE);
    else if (typeof reading !== 'string') this.#answer(reading);
    else if (reading !== 'goes-on') return this.fail(reading);
    return true;
  }

  #answer({ head, body }: Request): void {
    this.#head = head;
    this.#state = 'answering';
    if (head.expect === 'unknown') {
      this.#output.add(textAnswer(head, EXPECTATION_FAILED, head.minor === 1));
      this.close();
      return;
    }
    const reply = this.#ask(head, body);
    if (reply instanceof Promise) {
      this.#socket.pause();
      this.#sendLater(head, reply);
    } else this.#send(head, reply);
  }

  /** Waits for a held answer, which comes at once when the client sends anything or ends, or the server stops. */
  #hold(head: RequestHead, { answer, release }: HeldReply): void {
    this.#release = release;
    if (this.#reader.holds || this.#ended || this.#stopping) release();
    this.#sendLater(head, answer);
  }

  #sendLater(head: RequestHead, reply: Promise<Reply>): void {
    reply
      .catch((error: unknown) => this.#application.failed(error, this.peer, head))
      .then((settled) => {
        this.#release = undefined;
        this.#turn(() => this.#work(() => this.#send(head, settled)));
      })
      .catch((error: unknown) => this.#giveUp(error));
  }

  #ask(head: RequestHead, body: Buffer): Reply | Promise<Reply> {
    try {
      return ownAnswer(head) ?? this.#application.answer(this.peer, { head, body }, this.#turn);
    } catch (error) {
      return this.#application.failed(error, this.peer, head);
    }
  }

  #send(head: RequestHead, reply: Reply): void {
    if (reply.kind === 'held') this.#hold(head, reply);
    else if (reply.kind === 'hijack') this.#hijack(reply);
    else if (reply.kind === 'stream') this.#sendStream(head, reply);
    else {
      const keepAlive = head.keepAlive && !this.#stopping && reply.close !== true;
      this.#output.add(textAnswer(head, reply, keepAlive));
      this.#finishAnswer(keepAlive);
    }
  }

  #sendStream(head: RequestHead, reply: StreamReply): void {
    if (this.#socket.destroyed) {
      reply.finish(false);
      return;
    }
    const keepAlive = head.keepAlive && !this.#stopping && !(reply.chunked && head.minor === 0);
    const { text, chunked } = streamAnswerHead(head, reply, keepAlive);
    this.#socket.pause();
    this.#output.add(text);
    this.#output.flush();
    void sendBody(this.#socket, head, reply, chunked).then((sent) => {
      if (sent) this.#turn(() => this.#work(() => this.#finishAnswer(keepAlive)));
      // The length has been announced: only a cut tells the client that the body is incomplete.
      else this.#socket.destroy();
    });
  }

  #hijack(reply: HijackReply): void {
    this.#output.flush();
    const rest = this.#reader.takeRest();
    this.#state = 'hijacked';
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('drain', this.#onDrain);
    this.#hijacker = reply.take(this.#socket, rest, this.#ended);
    this.#socket.resume();
  }

  #finishAnswer(keepAlive: boolean): void {
    if (!keepAlive) this.close();
    else if (this.#socket.writableNeedDrain) this.#setState('draining');
    else this.#nextRequest();
  }

  #nextRequest(): void {
    const waits = this.#limits[this.#reader.silent ? 'idleTimeoutMs' : 'requestTimeoutMs'];
    this.#patience.wait(waits, performance.now());
    this.#setState('reading');
  }

  /** Pauses or resumes reading as the state requires. */
  #setState(state: ConnectionState): void {
    this.#state = state;
    if (state === 'answering' || state === 'draining') this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Answers a request that cannot be served, perhaps before any of it is read, and closes. */
  fail(failure: HttpFailure): false {
    this.#output.add(failureAnswer(failure));
    this.close();
    return false;
  }

  /** Sends the gathered answers and ends. The socket closes when the client has hung up too, or after a moment. */
  close(): void {
    this.#output.flush();
    this.#reader.clear();
    this.#patience.wait(this.#limits.lingerTimeoutMs, performance.now());
    this.#setState('closing');
    if (this.#ended) this.#socket.destroySoon();
    else this.#socket.end();
  }
}
