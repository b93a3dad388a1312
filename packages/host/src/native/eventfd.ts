import { checked, declare } from './libc.ts';

const createEventfd = declare('int eventfd(uint initial, int flags)');
const write = declare('long write(int fd, const void *data, size_t size)');
const read = declare('long read(int fd, _Out_ void *data, size_t size)');

/** EFD_CLOEXEC and EFD_NONBLOCK, eventfd(2). */
const FLAGS = 0o2000000 | 0o4000;
const ONE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const counter = Buffer.alloc(8);

/** A descriptor that becomes readable when {@link wake} is called; to be closed by the caller. */
export function openWake(): number {
  return checked('eventfd', createEventfd(0, FLAGS));
}

/** Makes the descriptor readable, from any thread. */
export function wake(fd: number): void {
  write(fd, ONE, ONE.length);
}

/** Makes the descriptor unreadable again. */
export function clearWake(fd: number): void {
  read(fd, counter, counter.length);
}
