import { openSync } from 'node:fs';
import { close } from '../native/libc.ts';
import { peerCredentials, peerPidfd } from '../native/peer-credentials.ts';
import { isAlive, openPidfd, openPidNamespaceOf } from '../native/pidfd.ts';
import { startTimeOf } from '../native/start-time.ts';

/** How the kernel is asked about the process at the other end of a socket. */
export interface PeerKernel {
  readonly name: 'pidfd' | 'proc';
  /** Effective uid at connect(), in the host's user namespace. */
  peerUid(socket: number): number;
  /** Opens the PID namespace of the peer; null when the peer is gone. The caller closes it. */
  openPeerNamespace(socket: number): number | null;
}

/** Linux 6.11 and later: the kernel hands over the very process, so no pid can be mistaken for another. */
export const pidfdKernel: PeerKernel = {
  name: 'pidfd',
  peerUid: (socket) => peerCredentials(socket).uid,
  openPeerNamespace(socket) {
    const pidfd = orNull(() => peerPidfd(socket));
    if (pidfd === null) return null;
    try {
      return orNull(() => openPidNamespaceOf(pidfd));
    } finally {
      close(pidfd);
    }
  },
};

/**
 * Older kernels: by pid, through /proc. The process that has the pid while we look is pinned by its start
 * time. A pid that was reused between connect() and accept cannot be told; the uid at connect() still must
 * match the root of the instance that is found.
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

/**
 * Finds out once, at start, what this kernel can do, by doing it on this very process.
 * @param forced settings may force the fallback
 */
export function detectKernel(forced: 'auto' | 'proc'): PeerKernel {
  if (forced === 'proc') return procKernel;
  let pidfd: number | null = null;
  try {
    pidfd = openPidfd(process.pid);
    close(openPidNamespaceOf(pidfd));
    return isAlive(pidfd) ? pidfdKernel : procKernel;
  } catch {
    return procKernel;
  } finally {
    if (pidfd !== null) close(pidfd);
  }
}

function orNull(open: () => number): number | null {
  try {
    return open();
  } catch {
    return null;
  }
}
