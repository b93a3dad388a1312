import koffi from 'koffi';
import { declare } from './libc.ts';

const sendfileCall = declare('long sendfile(int out, int in, void *offset, size_t count)');

const { EAGAIN, EINTR } = koffi.os.errno;
const offset = Buffer.alloc(8);

/** Results of {@link sendfile}: the socket takes nothing now, and it is broken. */
export const FULL = -1;
export const FAILED = -2;

/**
 * Writes a stretch of a file to a socket within the kernel; sendfile(2).
 * @returns the number of bytes written, 0 at the end of the file, {@link FULL} or {@link FAILED}
 */
export function sendfile(socket: number, file: number, position: number, count: number): number {
  offset.writeBigInt64LE(BigInt(position));
  const sent = Number(sendfileCall(socket, file, offset, count));
  if (sent >= 0) return sent;
  const errno = koffi.errno();
  return errno === EAGAIN || errno === EINTR ? FULL : FAILED;
}
