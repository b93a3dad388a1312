import type { Caller } from '../core/caller.ts';
import { close } from '../native/libc.ts';
import { namespaceKey, openParentNamespace } from '../native/namespace.ts';
import type { PeerKernel } from './kernel.ts';
import type { Registered } from './registry.ts';

/** PID namespaces nest at most this deep: MAX_PID_NS_LEVEL of linux/pid_namespace.h. */
const NESTING_MAX = 32;

/** What identification must know of a run. */
type KnownRun = Pick<Registered, 'instanceId' | 'boot' | 'rootUid'>;

/** Knows which PID namespace belongs to which run that goes on. */
export interface RunFinder {
  find(namespace: string): KnownRun | null;
}

/**
 * Says who is at the other end of an accepted socket, from facts that only the kernel can give: the PID
 * namespace of the connecting process, walked outwards to the first that belongs to a registered instance,
 * and the uid at connect(). No name, title, path or parent of a process is ever looked at.
 */
export function identify(kernel: PeerKernel, registry: RunFinder, socket: number): Caller {
  try {
    const registered = findInstance(kernel, registry, socket);
    if (!registered) return { kind: 'no-instance' };
    const { instanceId, boot, rootUid } = registered;
    const kind = kernel.peerUid(socket) === rootUid ? 'instance' : 'not-root';
    return { kind, instanceId, boot };
  } catch {
    // A socket that broke between accept and here. Nobody is believed.
    return { kind: 'no-instance' };
  }
}

function findInstance(kernel: PeerKernel, registry: RunFinder, socket: number): KnownRun | null {
  let namespace = kernel.openPeerNamespace(socket);
  for (let depth = 0; namespace !== null && depth <= NESTING_MAX; depth++) {
    const registered = registry.find(namespaceKey(namespace));
    if (registered) {
      close(namespace);
      return registered;
    }
    const parent = openParentNamespace(namespace);
    close(namespace);
    namespace = parent;
  }
  if (namespace !== null) close(namespace);
  return null;
}
