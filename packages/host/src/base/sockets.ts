import type { Server, Socket } from 'node:net';

/** A listening socket that another process has opened before this daemon started. */
export interface InheritedSocket {
  readonly fd: number;
  /** Its path, if this daemon is to remove it; otherwise it stays for the process that opened it. */
  readonly path?: string | undefined;
}

/** What a server leaves to the next server: descriptors of its listening socket and of connections. */
export interface LeftSockets {
  readonly listener: number;
  readonly connections: readonly number[];
}

/** Returns a second descriptor of an open file; it stays open when the first is closed. */
export type Keep = (fd: number) => number;

/** Why a server ends a connection: it ends for good, or the next server is about to take its place. */
export type EndReason = 'ended' | 'restarting';

/** Close codes of websockets, RFC 6455: 1001 if the server goes away, 1012 if it restarts. */
export const CLOSE_FRAMES: Readonly<Record<EndReason, readonly [code: number, reason: string]>> = {
  ended: [1001, ''],
  restarting: [1012, 'restarting'],
};

/**
 * Lets go of connections without ending them.
 * @returns descriptors of the connections, for the next server
 */
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

/** Bytes written that wait in Node, or in libuv, where each partial write makes them fewer. */
export function unsentBytes(socket: Socket): number {
  return socket.writableLength + (handleOf(socket)?.writeQueueSize ?? 0);
}

/** Internals of Node's sockets and servers. */
interface Handle {
  readonly fd: number;
  readonly writeQueueSize?: number;
}

function handleOf(owner: Socket | Server): Handle | null | undefined {
  return (owner as unknown as { _handle?: Handle | null })._handle;
}
