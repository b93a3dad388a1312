import { openSync } from 'node:fs';
import { close } from '../native/libc.ts';
import { peerCredentials, peerPidfd } from '../native/peer-credentials.ts';
import { isAlive, openPidNamespaceOf } from '../native/pidfd.ts';
import { connectedPair } from '../native/socket-pair.ts';
import { startTimeOf } from '../native/start-time.ts';

/** Ways to identify callers, the best first. */
const IDENTIFICATIONS = ['pidfd', 'pidfd-proc', 'proc'] as const;
export type Identification = (typeof IDENTIFICATIONS)[number];

/** How to ask the kernel about the process at the other end of a socket. */
export interface PeerKernel {
  readonly name: Identification;
  /** Effective uid at connect(), in the host's user namespace. */
  peerUid(socket: number): number;
  /** Opens the PID namespace of the peer; null when the peer is gone. To be closed by the caller. */
  openPeerNamespace(socket: number): number | null;
}

/** Linux 6.11 and later: the kernel gives a handle on the process itself, so a reused pid cannot mislead. */
export const pidfdKernel: PeerKernel = {
  name: 'pidfd',
  peerUid: (socket) => peerCredentials(socket).uid,
  openPeerNamespace(socket) {
    const pidfd = peerPidfd(socket);
    if (pidfd === null) return null;
    try {
      return openPidNamespaceOf(pidfd);
    } finally {
      close(pidfd);
    }
  },
};

/**
 * Linux 6.5 and later: the kernel gives a handle on the process, but its namespace must be read by pid,
 * through /proc. The process with that pid is the caller if the caller is still alive after that.
 */
export const heldProcKernel: PeerKernel = {
  name: 'pidfd-proc',
  peerUid: (socket) => peerCredentials(socket).uid,
  openPeerNamespace(socket) {
    const pidfd = peerPidfd(socket);
    if (pidfd === null) return null;
    try {
      const namespace = orNull(() => openSync(`/proc/${peerCredentials(socket).pid}/ns/pid`, 'r'));
      if (namespace === null || isAlive(pidfd)) return namespace;
      close(namespace);
      return null;
    } finally {
      close(pidfd);
    }
  },
};

/**
 * Older kernels: by pid, through /proc. The start time shows that the pid belongs to one process during the
 * look. If the pid was reused between connect() and accept, that cannot be noticed; but the uid at connect()
 * still has to match the root of the instance that is found.
 */
export const procKernel: PeerKernel = {
  name: 'proc',
  peerUid: (socket) => peerCredentials(socket).uid,
  openPeerNamespace(socket) {
    const { pid } = peerCredentials(socket);
    const before = startTimeOf(pid);
    if (before === null) return null;
    const namespace = orNull(() => openSync(`/proc/${pid}/ns/pid`, 'r'));
    if (namespace === null) return null;
    if (startTimeOf(pid) === before) return namespace;
    close(namespace);
    return null;
  },
};

const KERNELS: readonly PeerKernel[] = [pidfdKernel, heldProcKernel, procKernel];

/**
 * Finds out once, at start, what this kernel can do, by trying it on this process.
 * @param wanted `auto` for the best way; another way may be forced, and is taken if the kernel has it
 */
export function detectKernel(wanted: 'auto' | Identification): PeerKernel {
  const least = wanted === 'auto' ? 0 : KERNELS.findIndex(({ name }) => name === wanted);
  const [one, other] = connectedPair();
  try {
    return KERNELS.slice(least).find((kernel) => works(kernel, one)) ?? procKernel;
  } finally {
    close(one);
    close(other);
  }
}

function works(kernel: PeerKernel, socket: number): boolean {
  const namespace = orNull(() => kernel.openPeerNamespace(socket) ?? -1);
  if (namespace === null || namespace < 0) return false;
  close(namespace);
  return true;
}

function orNull(open: () => number): number | null {
  try {
    return open();
  } catch {
    return null;
  }
}
