import type { Server, Socket } from 'node:net';

/** A listening socket that somebody has opened before us. */
export interface InheritedSocket {
  readonly fd: number;
  /** Its name, when that is ours to take away: whoever else holds the socket keeps the name. */
  readonly path?: string | undefined;
}

/** What a server leaves to the one that comes next: descriptors of its listening socket and of connections. */
export interface LeftSockets {
  readonly listener: number;
  readonly connections: readonly number[];
}

/** Gives a second descriptor of an open file, which stays when the first is closed. */
export type Keep = (fd: number) => number;

/** Why a server ends a connection: for good, or because the next server is about to take its place. */
export type EndReason = 'ended' | 'restarting';

/** What a websocket is closed with, RFC 6455: the endpoint goes away, or restarts and can be asked again. */
export const CLOSE_FRAMES: Readonly<Record<EndReason, readonly [code: number, reason: string]>> = {
  ended: [1001, ''],
  restarting: [1012, 'restarting'],
};

/** Lets go of connections without ending them: what comes back are descriptors for the next server. */
export function leave(sockets: readonly Socket[], keep: Keep): number[] {
  return sockets.map((socket) => {
    const kept = keep(descriptorOf(socket));
    socket.destroy();
    return kept;
  });
}

/** The number of the file descriptor of an open socket or a listening server. */
export function descriptorOf(owner: Socket | Server): number {
  return handleOf(owner)!.fd;
}

/** Bytes written that the kernel has no room for: with Node, or with libuv, where they shrink with each partial write. */
export function unsentBytes(socket: Socket): number {
  return socket.writableLength + (handleOf(socket)?.writeQueueSize ?? 0);
}

/** What Node keeps to itself. */
interface Handle {
  readonly fd: number;
  readonly writeQueueSize?: number;
}

function handleOf(owner: Socket | Server): Handle | null | undefined {
  return (owner as unknown as { _handle?: Handle | null })._handle;
}
