import type { Socket } from 'node:net';
import { type EndReason, unsentBytes } from '../base/sockets.ts';
import type { Application } from './application.ts';
import { writeParts } from './body-writer.ts';
import type { ConnectionState } from './connection-state.ts';
import { failureAnswer, type HttpFailure } from './errors.ts';
import { type Limits, PIPELINED_PER_TURN_MAX, UNASKED_GRACE_MS, WRITE_GATHERED_MAX } from './limits.ts';
import { CONTINUE, EXPECTATION_FAILED, ownAnswer } from './own-answers.ts';
import { Patience } from './patience.ts';
import { hasBody, RequestBody } from './request-body.ts';
import type { RequestHead } from './request-head.ts';
import { RequestInput } from './request-input.ts';
import {
  type HeldReply,
  type Hijacker,
  type HijackReply,
  type Reply,
  type StreamReply,
  streamAnswerHead,
  textAnswer,
} from './response.ts';

const NO_BYTES = Buffer.alloc(0);

/**
 * One client connection. Invariants:
 * - Requests are answered one at a time and in order.
 * - While nothing is read the socket is paused, so what a client can make us hold is one head or body, one
 *   read of the socket, and one answer.
 * - A half-closed client gets all its answers; then we close too.
 * - There is no timer here: `sweep` is called by the server's one timer and asks what is overdue.
 */
export class Connection<Peer> {
  readonly peer: Peer;
  private readonly socket: Socket;
  private readonly application: Application<Peer>;
  private readonly limits: Limits;

  private state: ConnectionState = 'head';
  private readonly input = new RequestInput();
  private head: RequestHead | undefined;
  private body: RequestBody | undefined;
  private hijacker: Hijacker | undefined;
  /** Lets go of the answer that is held. */
  private release: (() => void) | undefined;
  /** Answers not yet handed to the socket. */
  private output = '';
  private ended = false;
  private stopping = false;
  private working = false;
  private asked = false;
  private readonly patience: Patience;

  constructor(socket: Socket, peer: Peer, application: Application<Peer>, limits: Limits, nowMs: number) {
    this.socket = socket;
    this.peer = peer;
    this.application = application;
    this.limits = limits;
    this.patience = new Patience(socket, limits);
    this.patience.wait(limits.idleTimeoutMs, nowMs);
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('close', () => this.release?.());
    socket.on('drain', this.onDrain);
  }

  /** Between requests, with no byte of one or of an answer in our hands. */
  get silent(): boolean {
    return this.state === 'head' && this.input.length + unsentBytes(this.socket) === 0;
  }

  /** Ends the connection at once; whatever it was doing. */
  destroy(reason: EndReason = 'ended'): void {
    if (this.hijacker !== undefined) this.hijacker.close(reason);
    else this.socket.destroy();
  }

  /** Ends the connection after the request it is at; one that has not asked anything yet gets a moment. */
  shutdown(nowMs: number, reason: EndReason): void {
    this.stopping = true;
    this.release?.();
    if (this.state === 'hijacked') this.destroy(reason);
    if (this.state !== 'head' || this.input.length > 0) return;
    if (this.asked) this.close();
    else this.patience.waitAtMost(UNASKED_GRACE_MS, nowMs);
  }

  /** Ends what has taken too long. Called every now and then with the monotonic time. */
  sweep(nowMs: number): void {
    if (this.state === 'hijacked') return;
    const overdue = this.patience.overdue(nowMs, this.state === 'closing');
    if (overdue === undefined) return;
    if (overdue === 'stalled') this.socket.destroy();
    else if (this.state === 'body' || (this.state === 'head' && this.input.length > 0))
      this.fail('request-timeout');
    // An answer that is being made is not the client's fault.
    else if (this.state !== 'answering') this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.state === 'closing') return;
    this.release?.();
    if (this.state === 'head' && this.input.length > 0) {
      if (!this.input.appendToHead(chunk, this.limits)) return;
    } else {
      if (this.state === 'head') this.patience.wait(this.limits.requestTimeoutMs, performance.now());
      this.input.append(chunk);
    }
    this.work();
  };

  private readonly onEnd = (): void => {
    this.ended = true;
    this.release?.();
    if (this.state === 'closing') this.socket.destroySoon();
    else this.work();
  };

  private readonly onDrain = (): void => {
    if (this.state !== 'draining') return;
    this.nextRequest();
    this.work();
  };

  /** Answers what can be answered with the bytes at hand, then hands the answers to the socket. */
  private work(): void {
    if (this.working) return;
    this.working = true;
    try {
      this.stepAll();
      this.flush();
    } catch (error) {
      this.giveUp(error);
    }
    this.working = false;
    if (this.state === 'head' && this.socket.writableNeedDrain) this.setState('draining');
  }

  private stepAll(): void {
    let answered = 0;
    while (this.step()) {
      if (this.state === 'head') answered++;
      if (answered < PIPELINED_PER_TURN_MAX || this.input.length === 0) continue;
      this.yieldTurn();
      return;
    }
  }

  /** A fault of ours below any handler: tells the log, and keeps it to this connection. */
  private giveUp(error: unknown): void {
    this.application.failed(error, this.peer, this.head);
    this.socket.destroy();
  }

  private yieldTurn(): void {
    this.setState('answering');
    setImmediate(() => {
      if (this.state !== 'answering') return;
      this.nextRequest();
      this.work();
    });
  }

  /** One step forward; false if it takes more bytes, or somebody else, to go on. */
  private step(): boolean {
    if (this.socket.destroyed) return false;
    if (this.state === 'head') return this.readHead();
    if (this.state === 'body') return this.readBody();
    return false;
  }

  private readHead(): boolean {
    if (this.input.length === 0) {
      if (this.ended || (this.stopping && this.asked)) this.close();
      return false;
    }
    const result = this.input.readHead(this.limits);
    if (result.kind === 'error') return this.fail(result.error);
    if (result.kind === 'incomplete') return this.ended ? this.fail('bad-request') : false;
    this.asked = true;
    this.head = result.head;
    return this.startBody(result.head);
  }

  private startBody(head: RequestHead): boolean {
    if (head.expect === 'unknown') return this.refuseExpectation(head);
    if (!hasBody(head)) {
      this.answer(head, NO_BYTES);
      return true;
    }
    const kept = this.application.readsBody(this.peer, head);
    this.body = new RequestBody(head, kept, this.limits.bodyBytes);
    if (head.expect === 'continue' && this.input.length === 0) this.output += CONTINUE;
    this.state = 'body';
    return true;
  }

  private refuseExpectation(head: RequestHead): boolean {
    this.output += textAnswer(head, EXPECTATION_FAILED, head.minor === 1);
    this.close();
    return false;
  }

  private readBody(): boolean {
    const body = this.body!;
    const { progress, used } = body.push(this.input.view());
    this.input.consume(used);
    if (progress === 'more') {
      if (!this.ended) return false;
      // Cut off: the handler sees what came, and there can be no further request.
      this.input.clear();
    } else if (progress !== 'done') return this.fail(progress);
    this.body = undefined;
    this.answer(this.head!, body.bytes());
    return true;
  }

  private answer(head: RequestHead, body: Buffer): void {
    this.state = 'answering';
    const reply = this.ask(head, body);
    if (!(reply instanceof Promise)) {
      this.send(head, reply);
      return;
    }
    this.socket.pause();
    this.sendLater(head, reply);
  }

  /** Holds an answer back until it is there, or the client says or ends anything: it is not to be kept waiting then. */
  private hold(head: RequestHead, { answer, release }: HeldReply): void {
    this.release = release;
    if (this.input.length > 0 || this.ended || this.stopping) release();
    this.sendLater(
      head,
      answer.finally(() => {
        this.release = undefined;
      }),
    );
  }

  private sendLater(head: RequestHead, reply: Promise<Reply>): void {
    reply
      .catch((error: unknown) => this.application.failed(error, this.peer, head))
      .then((settled) => {
        this.send(head, settled);
        this.work();
      })
      .catch((error: unknown) => this.giveUp(error));
  }

  private ask(head: RequestHead, body: Buffer): Reply | Promise<Reply> {
    try {
      return ownAnswer(head) ?? this.application.answer(this.peer, { head, body });
    } catch (error) {
      return this.application.failed(error, this.peer, head);
    }
  }

  private send(head: RequestHead, reply: Reply): void {
    if (reply.kind === 'held') this.hold(head, reply);
    else if (reply.kind === 'hijack') this.hijack(reply);
    else if (reply.kind === 'stream') this.sendStream(head, reply);
    else {
      const keepAlive = head.keepAlive && !this.stopping && reply.close !== true;
      this.output += textAnswer(head, reply, keepAlive);
      if (this.output.length > WRITE_GATHERED_MAX) this.flush();
      this.finishAnswer(keepAlive);
    }
  }

  private sendStream(head: RequestHead, reply: StreamReply): void {
    if (this.socket.destroyed) {
      reply.finish(false);
      return;
    }
    const keepAlive = head.keepAlive && !this.stopping && !(reply.chunked && head.minor === 0);
    const { text, chunked } = streamAnswerHead(head, reply, keepAlive);
    this.socket.pause();
    this.output += text;
    this.flush();
    const parts = head.method === 'HEAD' ? [] : reply.parts;
    writeParts(this.socket, parts, chunked).then(
      () => {
        reply.finish(head.method !== 'HEAD');
        this.finishAnswer(keepAlive);
        this.work();
      },
      () => {
        reply.finish(false);
        // The length has been announced: only a cut tells the client that it has not got all.
        this.socket.destroy();
      },
    );
  }

  private hijack(reply: HijackReply): void {
    this.flush();
    const rest = Buffer.from(this.input.view());
    this.input.clear();
    this.state = 'hijacked';
    this.socket.off('data', this.onData);
    this.socket.off('end', this.onEnd);
    this.socket.off('drain', this.onDrain);
    this.hijacker = reply.take(this.socket, rest, this.ended);
    this.socket.resume();
  }

  private finishAnswer(keepAlive: boolean): void {
    if (!keepAlive) this.close();
    else if (this.socket.writableNeedDrain) this.setState('draining');
    else this.nextRequest();
  }

  private nextRequest(): void {
    const waits = this.limits[this.input.length === 0 ? 'idleTimeoutMs' : 'requestTimeoutMs'];
    this.patience.wait(waits, performance.now());
    this.setState('head');
  }

  /** Reading and not reading go with the state. */
  private setState(state: ConnectionState): void {
    this.state = state;
    if (state === 'answering' || state === 'draining') this.socket.pause();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  /** Answers what cannot be served, perhaps before anything is read, and closes. */
  fail(failure: HttpFailure): false {
    this.output += failureAnswer(failure);
    this.close();
    return false;
  }

  /** Sends what there is, then our end; the socket goes when the client has hung up too, or after a moment. */
  close(): void {
    this.flush();
    this.input.clear();
    this.body = undefined;
    this.patience.wait(this.limits.lingerTimeoutMs, performance.now());
    this.setState('closing');
    if (this.ended) this.socket.destroySoon();
    else this.socket.end();
  }

  private flush(): void {
    if (this.output === '') return;
    const { output } = this;
    this.output = '';
    if (!this.socket.destroyed) this.socket.write(output);
  }
}
