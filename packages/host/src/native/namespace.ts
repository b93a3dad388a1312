import { fstatSync } from 'node:fs';
import { ioctl } from './ioctl.ts';

/** `_IO(0xB7, 2)` of linux/nsfs.h, Linux 4.9. */
const NS_GET_PARENT = 0xb702;

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
