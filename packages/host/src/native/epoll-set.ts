import {
  EPOLLIN,
  EVENT_BYTES,
  eventBuffer,
  eventKey,
  eventMask,
  openEpoll,
  setEventKey,
  unwatch,
  waitForEvents,
  watch,
} from './epoll.ts';
import { close } from './libc.ts';

const EPOLLOUT = 0x004;
const EPOLLERR = 0x008;
const EPOLLHUP = 0x010;
const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x8000_0000;
const EVENTS_MAX = 256;

/** Finds out which of many descriptors can be read or written; epoll(7). For a thread that does only this. */
export class EpollSet {
  readonly #epoll = openEpoll();
  readonly #events = Buffer.alloc(EVENT_BYTES * EVENTS_MAX);
  readonly #level = eventBuffer(EPOLLIN, 0);
  readonly #edge = eventBuffer(EPOLLIN | EPOLLRDHUP | EPOLLET, 0);
  readonly #writable = eventBuffer(EPOLLOUT | EPOLLET, 0);

  /** Reports `fd` as long as it can be read. */
  add(fd: number): void {
    this.#add(this.#level, fd);
  }

  /** Reports `fd` once each time that something new can be read, and once if something can be read now. */
  addEdge(fd: number): void {
    this.#add(this.#edge, fd);
  }

  /** Reports `fd` each time that it can be written again, and when its other end is gone. */
  addWritable(fd: number): void {
    this.#add(this.#writable, fd);
  }

  /** Stops reporting `fd`. Closing the last descriptor of a file does this too. */
  remove(fd: number): void {
    unwatch(this.#epoll, fd);
  }

  /** Waits at most `timeoutMs` for an event. Returns the number of descriptors that {@link ready} names. */
  wait(timeoutMs: number): number {
    return Math.max(0, waitForEvents(this.#epoll, this.#events, EVENTS_MAX, timeoutMs));
  }

  /** The n-th descriptor that the last wait has found. */
  ready(index: number): number {
    return eventKey(this.#events, index);
  }

  /** Whether no more bytes will come after those that this descriptor can give now. */
  ending(index: number): boolean {
    return (eventMask(this.#events, index) & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0;
  }

  close(): void {
    close(this.#epoll);
  }

  #add(event: Buffer, fd: number): void {
    setEventKey(event, fd);
    watch(this.#epoll, fd, event);
  }
}
