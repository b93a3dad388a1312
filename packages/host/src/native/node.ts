import { checked, declare } from './libc.ts';

/** mknod(2). */
export const mknod = declare('int mknod(const char *path, uint mode, ulong device)');

const S_IFCHR = 0o020000;

/** Makes a character device node, makedev(3) and mknod(2). @param mode permission bits, umask applies */
export function makeCharacterNode(path: string, major: number, minor: number, mode: number): void {
  // dev_t of glibc: 12 bits of the major number between the low 8 bits and the rest of the minor number.
  const device = ((minor & ~0xff) * 4096 + ((major & 0xfff) << 8) + (minor & 0xff)) >>> 0;
  checked('mknod', mknod(path, S_IFCHR | mode, device));
}

/** Major and minor number from `st_rdev`, as {@link makeCharacterNode} takes them. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
