/** A file or folder of the host that is mounted inside from the start of a run. */
export interface MountEntry {
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readonly: boolean;
  readonly recursive: boolean;
  readonly isFolder: boolean;
}

/**
 * Folders of the kernel that LXD shows to its instances, if the host has them. The kernel lets only root of the host
 * mount what belongs there, and systemd counts a mount that failed as a failed unit. `common.conf` has the one of FUSE.
 */
const KERNEL_FOLDERS = [
  '/proc/sys/fs/binfmt_misc',
  '/sys/firmware/efi/efivars',
  '/sys/fs/pstore',
  '/sys/kernel/config',
  '/sys/kernel/debug',
  '/sys/kernel/security',
  '/sys/kernel/tracing',
];

/**
 * The lines that show the kernel's folders inside. Root of an unprivileged instance has no rights to their files. Root
 * of a privileged one can only read them: a package that is installed there must not change the host by accident.
 * Without the mounts below them, which would stay writable.
 */
export function kernelMountLines(privileged: boolean): string[] {
  const options = privileged ? ['bind', 'ro'] : ['rbind'];
  return KERNEL_FOLDERS.map((folder) => optionalLine(folder, folder, options));
}

/** The line of a mount that is left out if the host or the instance does not have the path. */
export function optionalLine(source: string, target: string, options: readonly string[]): string {
  return line(source, target, [...options, 'optional']);
}

/** The line of a mount whose mount point LXC makes. */
export function mountLine(mount: MountEntry): string {
  return line(mount.source, mount.target, [
    mount.recursive ? 'rbind' : 'bind',
    ...(mount.readonly ? ['ro'] : []),
    `create=${mount.isFolder ? 'dir' : 'file'}`,
  ]);
}

function line(source: string, target: string, options: readonly string[]): string {
  // LXC resolves relative targets below the root filesystem.
  return `lxc.mount.entry = ${fstab(source)} ${fstab(target.replace(/^\/+/, ''))} none ${options.join(',')} 0 0`;
}

/** Escapes spaces, tabs, line ends and backslashes as fstab(5) does. */
function fstab(path: string): string {
  return path.replace(
    /[ \t\n\r\v\f\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
