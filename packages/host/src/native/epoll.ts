import { checked, declare } from './libc.ts';

const create = declare('int epoll_create1(int flags)');
const control = declare('int epoll_ctl(int epfd, int op, int fd, void *event)');
const wait = declare('int epoll_wait(int epfd, _Out_ void *events, int max, int timeout)');

/** epoll(7); values of sys/epoll.h. */
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
export const EPOLLIN = 0x001;
export const EPOLLONESHOT = 0x4000_0000;

/** The key that makes a waiting thread end. */
export const END_KEY = 0;

/** `struct epoll_event` is packed on x86-64 only: 12 bytes there, 16 elsewhere. */
const packed = process.arch === 'x64';
export const EVENT_BYTES = packed ? 12 : 16;
const DATA_OFFSET = packed ? 4 : 8;

/** A new epoll descriptor, to be closed by the caller. @throws SystemError */
export function openEpoll(): number {
  return checked('epoll_create1', create(EPOLL_CLOEXEC));
}

/** Begins to watch a descriptor for the events in `event`. @throws SystemError */
export function watch(epoll: number, fd: number, event: Buffer): void {
  checked('epoll_ctl', control(epoll, EPOLL_CTL_ADD, fd, event));
}

/** Stops watching a descriptor. */
export function unwatch(epoll: number, fd: number): void {
  control(epoll, EPOLL_CTL_DEL, fd, null);
}

/** Waits at most `timeoutMs`, -1 for no limit. Returns the number of events; negative when interrupted. */
export function waitForEvents(epoll: number, events: Buffer, max: number, timeoutMs: number): number {
  return wait(epoll, events, max, timeoutMs);
}

/** A `struct epoll_event` with a number of the caller's choice as its data. */
export function eventBuffer(events: number, key: number): Buffer {
  const buffer = Buffer.alloc(EVENT_BYTES);
  buffer.writeUInt32LE(events >>> 0, 0);
  setEventKey(buffer, key);
  return buffer;
}

/** Puts another number into a `struct epoll_event`. */
export function setEventKey(event: Buffer, key: number): void {
  event.writeUInt32LE(key, DATA_OFFSET);
}

/** The number that was given to {@link eventBuffer}, from the n-th event of an array. */
export function eventKey(events: Buffer, index: number): number {
  return events.readUInt32LE(index * EVENT_BYTES + DATA_OFFSET);
}

/** The event bits of the n-th event of an array. */
export function eventMask(events: Buffer, index: number): number {
  return events.readUInt32LE(index * EVENT_BYTES);
}
