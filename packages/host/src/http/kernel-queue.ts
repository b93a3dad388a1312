import type { Socket } from 'node:net';

/** Bytes of an answer that libuv holds because the kernel's buffer is full; it shrinks with each partial write. */
export function kernelQueue(socket: Socket): number {
  const handle = (socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle;
  return handle?.writeQueueSize ?? 0;
}
