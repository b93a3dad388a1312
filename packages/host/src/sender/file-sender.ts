import { Worker } from 'node:worker_threads';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { duplicate } from '../native/descriptors.ts';
import { openWake, wake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { shutdown } from '../native/sockets.ts';
import type { SenderOrder, SenderStart, Sent, Stretch } from './messages.ts';
import { IDLE_MS } from './send-limits.ts';

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A thread that works, or has not ended yet. */
interface Thread {
  readonly worker: Worker;
  /** Each thread has its own, so that a thread that ends cannot take a wake-up of the next one. */
  readonly wake: number;
  readonly ended: Promise<void>;
}

/**
 * Sends stretches of files on sockets, on a separate thread and without copying them through this process.
 * The thread exists while there is something to send, and a little longer.
 */
export class FileSender {
  readonly #log: Log;
  readonly #idleMs: number;
  readonly #pending = new Map<number, Pending>();
  #thread: Thread | undefined;
  /** Settles when the last thread that was ordered to stop has ended. */
  #ended = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;
  #state: 'works' | 'stopped' | 'failed' = 'works';

  constructor(log: Log, idleMs = IDLE_MS) {
    this.#log = log;
    this.#idleMs = idleMs;
  }

  /** Whether it can be used; if not, files have to be read and written. */
  get works(): boolean {
    return this.#state === 'works';
  }

  /**
   * Sends a stretch of a file. Both descriptors must stay open meanwhile, and nothing else may be written.
   * Call `cut` of the result when the connection has ended for another reason.
   * @returns `sent` is rejected when the client is gone, or the file is shorter
   */
  send(
    socket: number,
    file: number,
    { start, length, stallMs }: { readonly start: number; readonly length: number; readonly stallMs: number },
  ): { readonly sent: Promise<void>; readonly cut: () => void } {
    // A copy, so that the number belongs to this socket, even if the connection closes its own descriptor.
    const own = duplicate(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.set(own, { resolve, reject });
    this.#begin({ socket: own, file, start, length, stallMs });
    return { sent: promise, cut: () => this.#cut(own, resolve) };
  }

  /** Ends the thread; stretches that are not sent completely fail. */
  async stop(): Promise<void> {
    if (this.#state === 'works') this.#state = 'stopped';
    this.#endThread();
    await this.#ended;
  }

  #cut(own: number, resolve: () => void): void {
    // The number belongs to this stretch only while it is pending; later another one may have it.
    if (this.#pending.get(own)?.resolve === resolve) shutdown(own);
  }

  #begin(stretch: Stretch): void {
    clearTimeout(this.#idle);
    this.#thread ??= this.#start();
    send(this.#thread, stretch);
  }

  #start(): Thread {
    const wake = openWake();
    const workerData: SenderStart = { wake };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData,
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on('message', (sent: Sent) => this.#settle(sent));
    worker.on('error', (error) =>
      this.#log.error({ error: messageOf(error) }, 'the thread that sends files has failed'),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    worker.once('exit', () => {
      close(wake);
      this.#hasEnded(worker);
      resolve();
    });
    return { worker, wake, ended: promise };
  }

  #endThread(): void {
    clearTimeout(this.#idle);
    if (this.#thread === undefined) return;
    this.#thread.worker.ref();
    send(this.#thread, 'stop');
    this.#ended = this.#thread.ended;
    this.#thread = undefined;
  }

  #settle({ socket, outcome }: Sent): void {
    const pending = this.#pending.get(socket);
    this.#pending.delete(socket);
    close(socket);
    if (this.#pending.size === 0) this.#idle = setTimeout(() => this.#endThread(), this.#idleMs).unref();
    if (outcome === 'sent') pending?.resolve();
    else
      pending?.reject(
        new Error(
          outcome === 'client-gone' ? 'the client is gone' : 'a file became shorter while it was sent',
        ),
      );
  }

  #hasEnded(worker: Worker): void {
    // The thread was idle; pending stretches belong to the next one.
    if (worker !== this.#thread?.worker && this.#state === 'works') return;
    this.#thread = undefined;
    if (this.#state === 'works') this.#state = 'failed';
    for (const socket of [...this.#pending.keys()]) this.#settle({ socket, outcome: 'client-gone' });
  }
}

function send({ worker, wake: descriptor }: Thread, order: SenderOrder): void {
  worker.postMessage(order);
  wake(descriptor);
}
