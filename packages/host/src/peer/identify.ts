import type { Caller } from '../core/caller.ts';
import { close } from '../native/libc.ts';
import { namespaceKey, openParentNamespace } from '../native/namespace.ts';
import type { PeerKernel } from './kernel.ts';
import type { RegisteredRun } from './registry.ts';

/** PID namespaces nest at most this deep: MAX_PID_NS_LEVEL of linux/pid_namespace.h. */
const NESTING_MAX = 32;

/** What identification must know of a run. */
type RunOfNamespace = Pick<RegisteredRun, 'instanceId' | 'runNumber' | 'rootUid'>;

/** Knows which PID namespace belongs to which run that goes on. */
export interface RunFinder {
  find(namespace: string): RunOfNamespace | null;
}

/** Where a caller comes from. */
export interface Origin {
  /** The run that it belongs to. */
  readonly run: RunOfNamespace | null;
  /**
   * Without a run: the outermost PID namespace below our own that the caller is in, which may be that of an
   * instance that is not known yet. Null for a process of our own namespace, and for one that is gone.
   */
  readonly outermost: string | null;
}

const NOWHERE: Origin = { run: null, outermost: null };

/** Who is at the other end of a socket, and from where, if that is no instance. */
export interface Identified {
  readonly caller: Caller;
  readonly outermost: string | null;
}

/**
 * Says who is at the other end of an accepted socket, from facts that only the kernel can give: the PID
 * namespace of the connecting process, walked outwards to the first that belongs to a registered instance,
 * and the uid at connect(). No name, title, path or parent of a process is ever looked at.
 */
export function identify(kernel: PeerKernel, registry: RunFinder, socket: number): Identified {
  try {
    const uid = kernel.peerUid(socket);
    const { run, outermost } = originOf(kernel, registry, socket);
    if (run === null) return { caller: { kind: 'no-instance', uid }, outermost };
    const { instanceId, runNumber, rootUid } = run;
    return { caller: { kind: uid === rootUid ? 'instance' : 'not-root', instanceId, runNumber }, outermost };
  } catch {
    // A socket that broke between accept and here. Nobody is believed.
    return { caller: { kind: 'no-instance' }, outermost: null };
  }
}

/** Finds out where the process at the other end of a socket belongs. Never throws. */
export function originOf(kernel: PeerKernel, registry: RunFinder, socket: number): Origin {
  let namespace = kernel.openPeerNamespace(socket);
  /** The namespaces that were walked through, without the one that is being looked at. */
  let inner: string | null = null;
  for (let depth = 0; namespace !== null && depth <= NESTING_MAX; depth++) {
    const key = namespaceKey(namespace);
    const run = registry.find(key);
    const parent = run === null ? openParentNamespace(namespace) : null;
    close(namespace);
    if (run !== null) return { run, outermost: null };
    // No parent that we may see: this is our own.
    if (parent === null) return { run: null, outermost: inner };
    inner = key;
    namespace = parent;
  }
  if (namespace !== null) close(namespace);
  return NOWHERE;
}
