import { Worker } from 'node:worker_threads';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import { duplicate } from '../native/descriptors.ts';
import { openWake, wake } from '../native/eventfd.ts';
import { close } from '../native/libc.ts';
import { shutdown } from '../native/sockets.ts';
import type { SenderOrder, SenderStart, Sent } from './messages.ts';

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Sends stretches of files on sockets, on a thread of its own and without copying them through this process. */
export class FileSender {
  readonly #log: Log;
  readonly #wake = openWake();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #state: 'works' | 'stopped' | 'failed' = 'works';

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether it can be used; if not, files have to be read and written. */
  get works(): boolean {
    return this.#state === 'works';
  }

  /**
   * Sends a stretch of a file; both descriptors must stay open meanwhile, and nothing else be written. Call
   * `cut` of what it gives when the connection has ended for another reason.
   * @returns a promise that is rejected when the client is gone, or the file shorter
   */
  send(
    socket: number,
    file: number,
    { start, length, stallMs }: { readonly start: number; readonly length: number; readonly stallMs: number },
  ): { readonly sent: Promise<void>; readonly cut: () => void } {
    // Its own, so that the number stays the socket's whatever happens to the connection.
    const own = duplicate(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.set(own, { resolve, reject });
    this.#tell({ socket: own, file, start, length, stallMs });
    return { sent: promise, cut: () => this.#cut(own, resolve) };
  }

  /** Ends the thread; what is still on its way fails. */
  async stop(): Promise<void> {
    if (this.#state === 'works') this.#state = 'stopped';
    const worker = this.#worker;
    if (worker !== undefined) {
      worker.ref();
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      this.#tell('stop');
      await ended;
    }
    close(this.#wake);
  }

  #cut(own: number, resolve: () => void): void {
    // The number is ours only as long as it is pending, and might be another's with the same number after that.
    if (this.#pending.get(own)?.resolve === resolve) shutdown(own);
  }

  #tell(order: SenderOrder): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(order);
    wake(this.#wake);
  }

  #start(): Worker {
    const workerData: SenderStart = { wake: this.#wake };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData,
      trackUnmanagedFds: false,
    });
    worker.unref();
    worker.on('message', (sent: Sent) => this.#settle(sent));
    worker.on('error', (error) =>
      this.#log.error({ error: messageOf(error) }, 'the thread that sends files has failed'),
    );
    worker.on('exit', () => this.#ended());
    return worker;
  }

  #settle({ socket, outcome }: Sent): void {
    const pending = this.#pending.get(socket);
    this.#pending.delete(socket);
    close(socket);
    if (outcome === 'sent') pending?.resolve();
    else
      pending?.reject(
        new Error(
          outcome === 'client-gone' ? 'the client is gone' : 'a file became shorter while it was sent',
        ),
      );
  }

  #ended(): void {
    this.#worker = undefined;
    if (this.#state === 'works') this.#state = 'failed';
    for (const socket of [...this.#pending.keys()]) this.#settle({ socket, outcome: 'client-gone' });
  }
}
