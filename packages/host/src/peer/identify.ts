import type { Caller } from '../core/caller.ts';
import { close } from '../native/libc.ts';
import { namespaceKey, openParentNamespace } from '../native/namespace.ts';
import type { PeerKernel } from './kernel.ts';
import type { RegisteredRun } from './registry.ts';

/** PID namespaces nest at most this deep: MAX_PID_NS_LEVEL of linux/pid_namespace.h. */
const NESTING_MAX = 32;

/** The facts of a run that identification needs. */
type RunOfNamespace = Pick<RegisteredRun, 'instanceId' | 'runNumber' | 'rootUid'>;

/** Finds the run that a PID namespace belongs to, if the run is not over. */
export interface RunFinder {
  find(namespace: string): RunOfNamespace | null;
}

/** The origin of a caller. */
export interface Origin {
  /** The run that it belongs to. */
  readonly run: RunOfNamespace | null;
  /**
   * Without a run: the outermost PID namespace below the daemon's that the caller is in; it may be that of an
   * instance that is not known yet. Null for a process of the daemon's namespace, and for one that is gone.
   */
  readonly outermost: string | null;
}

const NOWHERE: Origin = { run: null, outermost: null };

/** The caller at the other end of a socket, and its `outermost` namespace if it is in no instance. */
export interface Identified {
  readonly caller: Caller;
  readonly outermost: string | null;
}

/**
 * Finds the caller at the other end of an accepted socket, from facts that only the kernel can give: the PID
 * namespace of the connecting process, walked outwards to the first that belongs to a registered instance,
 * and the uid at connect(). It never looks at a name, title, path or parent of a process.
 */
export function identify(kernel: PeerKernel, registry: RunFinder, socket: number): Identified {
  try {
    const uid = kernel.peerUid(socket);
    const { run, outermost } = originOf(kernel, registry, socket);
    if (run === null) return { caller: { kind: 'no-instance', uid }, outermost };
    const { instanceId, runNumber, rootUid } = run;
    return { caller: { kind: uid === rootUid ? 'instance' : 'not-root', instanceId, runNumber }, outermost };
  } catch {
    // The socket broke after accept: the caller counts as unknown.
    return { caller: { kind: 'no-instance' }, outermost: null };
  }
}

/** Finds the run of the process at the other end of a socket. Never throws. */
export function originOf(kernel: PeerKernel, registry: RunFinder, socket: number): Origin {
  let namespace = kernel.openPeerNamespace(socket);
  /** The namespace that was looked at before the current one. */
  let inner: string | null = null;
  for (let depth = 0; namespace !== null && depth <= NESTING_MAX; depth++) {
    const key = namespaceKey(namespace);
    const run = registry.find(key);
    const parent = run === null ? openParentNamespace(namespace) : null;
    close(namespace);
    if (run !== null) return { run, outermost: null };
    // No parent is visible, so this is the daemon's namespace.
    if (parent === null) return { run: null, outermost: inner };
    inner = key;
    namespace = parent;
  }
  if (namespace !== null) close(namespace);
  return NOWHERE;
}
