import { closeSync, openSync, readlinkSync } from 'node:fs';
import { namespaceKey, openParentNamespace } from '../../native/namespace.ts';

/** Whether a process uses the network namespace of the daemon. True also if the process has ended. */
export function sharesNetwork(pid: number): boolean {
  const theirs = linkOf(`/proc/${pid}/ns/net`);
  return theirs === null || theirs === linkOf('/proc/self/ns/net');
}

/**
 * Returns a test of a pid: whether the process is in the PID namespace of `init`, or in a nested one. A process that
 * has ended counts as inside.
 */
export function insideOf(init: number): (pid: number) => boolean {
  const own = linkOf(`/proc/${init}/ns/pid`);
  return (pid) => {
    // The kernel shows pid 0 for a process outside the daemon's PID namespace.
    if (pid === 0) return false;
    const theirs = linkOf(`/proc/${pid}/ns/pid`);
    return theirs === null || theirs === own || isBelow(pid, init);
  };
}

function isBelow(pid: number, init: number): boolean {
  const [inner, outer] = [open(pid), open(init)];
  try {
    return inner !== null && outer !== null && climbs(inner, namespaceKey(outer));
  } finally {
    for (const fd of [inner, outer]) if (fd !== null) closeSync(fd);
  }
}

/** The kernel nests PID namespaces at most 32 deep. */
function climbs(fd: number, key: string): boolean {
  const parent = openParentNamespace(fd);
  if (parent === null) return false;
  try {
    return namespaceKey(parent) === key || climbs(parent, key);
  } finally {
    closeSync(parent);
  }
}

function open(pid: number): number | null {
  try {
    return openSync(`/proc/${pid}/ns/pid`, 'r');
  } catch {
    return null;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
