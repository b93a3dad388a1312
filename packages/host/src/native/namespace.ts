import { fstatSync } from 'node:fs';
import { ioctl } from './ioctl.ts';

/** `_IO(0xB7, 2)` of linux/nsfs.h, Linux 4.9. */
const NS_GET_PARENT = 0xb702;

/** Tells one namespace from all others that exist at the same time: device and inode, ioctl_ns(2). */
export function namespaceKey(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/** Opens the parent of a PID namespace; null at the outermost one that we may see. */
export function openParentNamespace(fd: number): number | null {
  const parent = ioctl(fd, NS_GET_PARENT, 0);
  return parent === -1 ? null : parent;
}
