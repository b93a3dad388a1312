import { Worker } from 'node:worker_threads';
import { END_KEY, EPOLLIN, EPOLLONESHOT, eventBuffer, openEpoll, watch } from './epoll.ts';
import { openWake, wake } from './eventfd.ts';
import { close } from './libc.ts';
import type { PinnedProcess } from './pinned-process.ts';

/**
 * Notifies when processes end, also those that are not children: a pidfd becomes readable at the end of its
 * process (pidfd_open(2)). One thread waits for all of them, on the descriptors that hold the processes in
 * any case, so a watch costs no descriptor and no polling.
 */
export class ExitWatch {
  readonly #epoll: number;
  /** An eventfd that is written once, to end the thread's wait. */
  readonly #end: number;
  /** Started with the first watch: it takes memory, and time at the daemon's start. */
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, () => void>();
  readonly #keys = new WeakMap<PinnedProcess, number>();
  /** Node joins its threads before it ends, even after an error: this one must not be waiting then. */
  readonly #onExit = () => wake(this.#end);
  #next = 1;

  constructor() {
    this.#epoll = openEpoll();
    this.#end = openWake();
    this.#add(this.#end, END_KEY);
  }

  /** Settles when the process has ended; at once when it has been released. One watch per process. */
  exited(process: PinnedProcess): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { pidfd } = process;
    if (pidfd === null) return Promise.resolve();
    const key = this.#next++;
    this.#add(pidfd, key);
    this.#worker ??= this.#start();
    this.#waiting.set(key, resolve);
    this.#keys.set(process, key);
    return promise;
  }

  /** Stops waiting for a process that is about to be released; its watch never settles. */
  forget(process: PinnedProcess): void {
    this.#waiting.delete(this.#keys.get(process) ?? END_KEY);
  }

  /** Ends the thread; watches that are still waiting never settle. */
  async stop(): Promise<void> {
    await this.#join(this.#worker);
    this.#waiting.clear();
    close(this.#end);
    close(this.#epoll);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./exit-watch-worker.ts', import.meta.url), {
      workerData: { epoll: this.#epoll },
    });
    worker.unref();
    worker.on('message', (key: number) => this.#settle(key));
    process.once('exit', this.#onExit);
    return worker;
  }

  async #join(worker: Worker | undefined): Promise<void> {
    if (!worker) return;
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    process.off('exit', this.#onExit);
    wake(this.#end);
    await ended;
  }

  #add(fd: number, key: number): void {
    watch(this.#epoll, fd, eventBuffer(EPOLLIN | EPOLLONESHOT, key));
  }

  #settle(key: number): void {
    const done = this.#waiting.get(key);
    this.#waiting.delete(key);
    done?.();
  }
}
