import { Worker } from 'node:worker_threads';
import { END_KEY, EPOLL_CTL_ADD, EPOLLIN, EPOLLONESHOT, eventBuffer } from './epoll.ts';
import { checked, close, declare, SystemError } from './libc.ts';
import { openPidfd } from './pidfd.ts';

const epollCreate = declare('int epoll_create1(int flags)');
const epollCtl = declare('int epoll_ctl(int epfd, int op, int fd, void *event)');
const createEventfd = declare('int eventfd(uint initial, int flags)');
const write = declare('long write(int fd, const void *data, size_t size)');

/** O_CLOEXEC, the same flag for epoll_create1(2) and eventfd(2). */
const CLOEXEC = 0o2000000;

/**
 * Tells when processes end, whoever their parent is: a pidfd becomes readable at the end of its process
 * (pidfd_open(2)). One thread waits for all of them, so a watch costs one descriptor and no polling.
 */
export class ExitWatch {
  readonly #epoll: number;
  /** Written once, to end the thread out of its wait. */
  readonly #end: number;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { pidfd: number; done: () => void }>();
  #next = 1;

  constructor() {
    this.#epoll = checked('epoll_create1', epollCreate(CLOEXEC));
    this.#end = checked('eventfd', createEventfd(0, CLOEXEC));
    this.#add(this.#end, END_KEY);
    this.#worker = new Worker(new URL('./exit-watch-worker.ts', import.meta.url), {
      workerData: { epoll: this.#epoll },
    });
    this.#worker.unref();
    this.#worker.on('message', (key: number) => this.#settle(key));
  }

  /** Settles when the process has ended; at once when there is no such process. */
  exited(pid: number): Promise<void> {
    return new Promise((resolve) => {
      const pidfd = openOrGone(pid);
      if (pidfd === null) return resolve();
      const key = this.#next++;
      this.#waiting.set(key, { pidfd, done: resolve });
      try {
        this.#add(pidfd, key);
      } catch (error) {
        this.#waiting.delete(key);
        close(pidfd);
        throw error;
      }
    });
  }

  /** Ends the thread; watches that are still waiting never settle. */
  async stop(): Promise<void> {
    this.#worker.ref();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    write(this.#end, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 8);
    await ended;
    for (const { pidfd } of this.#waiting.values()) close(pidfd);
    this.#waiting.clear();
    close(this.#end);
    close(this.#epoll);
  }

  #add(fd: number, key: number): void {
    const event = eventBuffer(EPOLLIN | EPOLLONESHOT, key);
    checked('epoll_ctl', epollCtl(this.#epoll, EPOLL_CTL_ADD, fd, event));
  }

  #settle(key: number): void {
    const entry = this.#waiting.get(key);
    if (!entry) return;
    this.#waiting.delete(key);
    // Closing the last descriptor takes it out of the epoll set.
    close(entry.pidfd);
    entry.done();
  }
}

/** Null when there is no such process. Any other failure says nothing about the process. */
function openOrGone(pid: number): number | null {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ESRCH') return null;
    throw error;
  }
}
