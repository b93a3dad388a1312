import { fstatSync, openSync } from 'node:fs';
import { ioctl, ioctlWith } from './ioctl.ts';
import { checked, close } from './libc.ts';

/** `_IO(0xB7, 2)` of linux/nsfs.h, Linux 4.9. */
const NS_GET_PARENT = 0xb702;

/** `_IO(0xB7, 4)` of linux/nsfs.h, Linux 4.11. */
const NS_GET_OWNER_UID = 0xb704;

/** Identifies a namespace among all that exist at the same time: device and inode, ioctl_ns(2). */
export function namespaceKey(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/** Opens the parent of a PID namespace; null if this process may not see one. */
export function openParentNamespace(fd: number): number | null {
  const parent = ioctl(fd, NS_GET_PARENT, 0);
  return parent === -1 ? null : parent;
}

/** The uid of the user who has made a process's user namespace; ioctl_ns(2). @throws when the process is gone */
export function userNamespaceOwner(pid: number): number {
  const namespace = openSync(`/proc/${pid}/ns/user`, 'r');
  try {
    const uid = Buffer.alloc(4);
    checked('ioctl', ioctlWith(namespace, NS_GET_OWNER_UID, uid));
    return uid.readUInt32LE();
  } finally {
    close(namespace);
  }
}
