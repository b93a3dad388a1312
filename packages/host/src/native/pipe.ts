import { checked, declare } from './libc.ts';

const pipe2 = declare('int pipe2(_Out_ void *fds, int flags)');

const O_CLOEXEC = 0o2000000;
const FD_BYTES = 4;

/** The two ends of a pipe, as descriptors. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Opens a pipe, pipe2(2); both ends are to be closed by the caller. @throws SystemError */
export function openPipe(): Pipe {
  const fds = Buffer.alloc(2 * FD_BYTES);
  checked('pipe2', pipe2(fds, O_CLOEXEC));
  return { read: fds.readInt32LE(0), write: fds.readInt32LE(FD_BYTES) };
}
