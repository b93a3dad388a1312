import { createHash, timingSafeEqual } from 'node:crypto';
import { constants } from 'node:os';
import { WebSocket } from 'ws';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { ExecSession } from '../instances/requests.ts';
import type { ExecProcess } from '../runtimes/contract/exec.ts';
import { parseExecControl } from '../wire/exec.ts';
import { feedInput, type OutputPump, pumpOutput } from './exec-flow.ts';
import { EXEC_CONNECT_TIMEOUT_MS } from './host-limits.ts';

const NEVER_CONNECTED = 'Timed out waiting for websockets to connect';
/** The error of an exec that the end of the daemon has cut off. */
export const CUT = 'The daemon ends or restarts';

/**
 * The websockets of one exec. Invariants:
 * - a secret opens one websocket, once;
 * - the process starts when all streams but `control` are connected, never twice;
 * - a websocket that connects earlier is not read until then, so the kernel limits what it can send ahead;
 * - every output stream gets its end mark, after all output.
 */
export class ExecStreams {
  /** Settles when the process has ended or will never start. */
  readonly over: Promise<void>;

  readonly #session: ExecSession;
  readonly #interactive: boolean;
  readonly #log: Log;
  readonly #digests: Map<string, Buffer>;
  readonly #sockets = new Map<string, WebSocket>();
  readonly #timer: NodeJS.Timeout;
  readonly #settle: () => void;
  #started = false;
  #ended = false;
  #process: ExecProcess | undefined;

  constructor(session: ExecSession, interactive: boolean, log: Log) {
    this.#session = session;
    this.#interactive = interactive;
    this.#log = log.child({ operation: session.operation.id });
    this.#digests = new Map(Object.entries(session.secrets).map(([name, secret]) => [name, digest(secret)]));
    this.#timer = setTimeout(() => this.#giveUp(NEVER_CONNECTED), EXEC_CONNECT_TIMEOUT_MS);
    const over = Promise.withResolvers<void>();
    this.over = over.promise;
    this.#settle = over.resolve;
  }

  /** The stream that a secret still opens; compared in constant time. */
  nameOf(secret: string): string | undefined {
    const given = digest(secret);
    let found: string | undefined;
    for (const [name, expected] of this.#digests) if (timingSafeEqual(given, expected)) found = name;
    return found;
  }

  /** Connects the websocket of a stream. */
  connect(name: string, socket: WebSocket): void {
    this.#digests.delete(name);
    this.#sockets.set(name, socket);
    socket.on('error', (error) =>
      this.#log.debug({ stream: name, reason: error.message }, 'exec stream failed'),
    );
    if (this.#process) {
      this.#attach(name, socket, this.#process);
      return;
    }
    socket.pause();
    const complete = [...this.#digests.keys()].every((missing) => missing === 'control');
    if (complete && !this.#started) void this.#start();
  }

  /**
   * Drops all websockets and kills the process; the operation fails at once, since a frozen process stays.
   */
  cut(): void {
    this.#process?.signal(constants.signals.SIGKILL);
    for (const socket of this.#sockets.values()) socket.terminate();
    this.#giveUp(CUT);
  }

  #giveUp(message: string): void {
    clearTimeout(this.#timer);
    this.#session.fail(message);
    this.#finish();
  }

  async #start(): Promise<void> {
    this.#started = true;
    clearTimeout(this.#timer);
    try {
      const process = await this.#session.start();
      this.#process = process;
      this.#pumpOutput(process);
      for (const [name, socket] of this.#sockets) this.#attach(name, socket, process);
      await process.exited;
    } catch (error) {
      // The client learns it from the operation.
      this.#log.debug({ reason: messageOf(error) }, 'exec failed');
    }
    this.#finish();
  }

  #pumpOutput(process: ExecProcess): void {
    const outputs = this.#outputs();
    const pump: OutputPump = pumpOutput(process, outputs);
    process.onOutput((fd, data) => pump.send(outputs[fd - 1] ?? outputs[0], data));
  }

  #attach(name: string, socket: WebSocket, process: ExecProcess): void {
    if (name === 'control') this.#obey(socket, process);
    if (name === '0') feedInput(socket, process, () => this.#ended);
    const lost = () => this.#lose(name, process);
    socket.once('close', lost);
    if (socket.readyState === WebSocket.CLOSED) lost();
    else socket.resume();
  }

  #obey(socket: WebSocket, process: ExecProcess): void {
    socket.on('message', (message) => {
      if (this.#ended) return;
      try {
        const control = parseExecControl(String(message));
        if (control.command === 'signal') process.signal(control.signal);
        else if (this.#interactive) process.resize(control.width, control.height);
      } catch (error) {
        this.#log.debug({ reason: messageOf(error) }, 'exec control message ignored');
      }
    });
  }

  /** A client that loses `control`, or without one its output, was killed: its process is killed, too. */
  #lose(name: string, process: ExecProcess): void {
    if (this.#ended) return;
    const watched = this.#sockets.has('control') ? 'control' : this.#interactive ? '0' : '1';
    if (name === watched) process.signal(constants.signals.SIGKILL);
  }

  #outputs(): readonly WebSocket[] {
    const names = this.#interactive ? ['0'] : ['1', '2'];
    return names.flatMap((name) => this.#sockets.get(name) ?? []);
  }

  /** Marks the end of each output, then closes; an output is closed only when its last byte has been sent. */
  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    const outputs = new Set(this.#outputs());
    for (const socket of this.#sockets.values()) {
      // Input is of no use any more, but the end of a websocket is noticed only while it is read.
      socket.resume();
      if (outputs.has(socket) && socket.readyState === WebSocket.OPEN) {
        socket.send('', { binary: false }, () => socket.close());
      } else socket.close();
    }
    this.#settle();
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
