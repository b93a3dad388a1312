import { closeSync, openSync, readlinkSync } from 'node:fs';
import { close, declare } from './libc.ts';

const openByHandle = declare('int open_by_handle_at(int mount, const void *handle, int flags)');

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
/** FILEID_KERNFS of linux/exportfs.h, Linux 5.5: the handle of a cgroup is its id. */
const FILEID_KERNFS = 0xfe;
const ID_BYTES = 8;

/**
 * The folder of a cgroup of the unified hierarchy; name_to_handle_at(2).
 * @param root where this hierarchy is mounted
 * @returns null if there is no such cgroup any more, or this process may not open one by its id
 */
export function cgroupPath(root: string, id: bigint): string | null {
  const handle = Buffer.alloc(2 * 4 + ID_BYTES);
  handle.writeUInt32LE(ID_BYTES);
  handle.writeInt32LE(FILEID_KERNFS, 4);
  handle.writeBigUInt64LE(id, 2 * 4);
  let mount: number | undefined;
  let folder = -1;
  try {
    mount = openSync(root, 'r');
    folder = openByHandle(mount, handle, O_PATH | O_CLOEXEC);
    return folder < 0 ? null : readlinkSync(`/proc/self/fd/${folder}`);
  } catch {
    return null;
  } finally {
    if (folder >= 0) close(folder);
    if (mount !== undefined) closeSync(mount);
  }
}
