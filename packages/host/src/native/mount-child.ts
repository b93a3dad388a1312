import { type BigIntStats, fstatSync, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { checked, declare, SystemError } from './libc.ts';
import {
  type FileIdentity,
  MOUNT_PIDFD,
  type MountAnswer,
  type MountFailure,
  type MountOrder,
  type MountTask,
} from './mount.ts';
import { mknod } from './node.ts';

// A separate program for one change of a container's mounts. A guest can have a file system at the place that
// never answers; then the kernel lets go of neither the call nor its process. Besides the standard
// descriptors it has two: they say which namespace it enters, and that the namespace is still there. Nothing
// that it does late can reach another container. It executes nothing of the container.

const openTree = declare('long syscall(long number, int dir, const char *path, uint flags)');
const setAttributes = declare(
  'long syscall(long number, int fd, const char *path, uint flags, void *attributes, size_t size)',
);
const moveMount = declare(
  'long syscall(long number, int fromDir, const char *from, int toDir, const char *to, uint flags)',
);
const unshare = declare('int unshare(int flags)');
const setns = declare('int setns(int fd, int type)');
const mkdir = declare('int mkdir(const char *path, uint mode)');
const rmdir = declare('int rmdir(const char *path)');
const unlink = declare('int unlink(const char *path)');
const umount2 = declare('int umount2(const char *path, int flags)');
const setfsuid = declare('int setfsuid(uint uid)');
const setfsgid = declare('int setfsgid(uint gid)');

/** System call numbers, the same on x86-64 and arm64; Linux 5.2 and 5.12. */
const OPEN_TREE = 428;
const MOVE_MOUNT = 429;
const MOUNT_SETATTR = 442;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1n;
const MS_PRIVATE = 0x4_0000n;
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x2_0000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const S_IFREG = 0o100000;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const MOUNT_ATTR_BYTES = 32;

/** A guest may have stacked mounts on the place; more than this are left to it. */
const LAYERS_MAX = 64;

interface Prepared {
  readonly task: MountTask;
  /**
   * Detached copy of the source's mount, made before entering the container's namespace; -1 if nothing is
   * mounted.
   */
  readonly tree: number;
  readonly isFolder: boolean;
}

const { owner, tasks } = JSON.parse(readFileSync(0, 'utf8')) as MountOrder;

process.stdout.write(JSON.stringify(answer()));

function answer(): MountAnswer {
  let failing: Prepared | undefined;
  try {
    const prepared = tasks.map(prepare);
    enter();
    const results = prepared.map((each) => {
      failing = each;
      return perform(each);
    });
    return { results };
  } catch (error) {
    return { ...callOf(error), ...(failing && { target: failing.task.target, ...kindsOf(failing) }) };
  }
}

function callOf(error: unknown): { call: string; errno: number } {
  if (error instanceof SystemError) return error;
  const { syscall, errno } = error as NodeJS.ErrnoException;
  return syscall === undefined ? { call: String(error), errno: 0 } : { call: syscall, errno: -(errno ?? 0) };
}

/** If the source is a folder and the target a file, or the reverse, the kernel says only EINVAL. */
function kindsOf({ task, isFolder: folder }: Prepared): Pick<MountFailure, 'kinds'> {
  const found = task.kind === 'mount' && statIfThere(task.target);
  if (!found || found.isDirectory() === folder) return {};
  return { kinds: folder ? 'folder-on-file' : 'file-on-folder' };
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function prepare(task: MountTask): Prepared {
  if (task.kind !== 'mount') return { task, tree: -1, isFolder: true };
  const recursive = task.recursive ? AT_RECURSIVE : 0;
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive;
  const tree = checked('open_tree', openTree(OPEN_TREE, AT_FDCWD, task.source, flags));
  // struct mount_attr: attributes to set, to clear, propagation, user namespace.
  const attributes = Buffer.alloc(MOUNT_ATTR_BYTES);
  attributes.writeBigUInt64LE(task.readonly ? MOUNT_ATTR_RDONLY : 0n, 0);
  attributes.writeBigUInt64LE(MS_PRIVATE, 16);
  const result = setAttributes(
    MOUNT_SETATTR,
    tree,
    '',
    AT_EMPTY_PATH | recursive,
    attributes,
    MOUNT_ATTR_BYTES,
  );
  checked('mount_setattr', result);
  return { task, tree, isFolder: isFolder(tree) };
}

function isFolder(tree: number): boolean {
  return (fstatSync(tree).mode & S_IFMT) === S_IFDIR;
}

function enter(): void {
  // setns(2) accepts only a thread that shares its file system attributes with no other; Node has several
  // threads.
  checked('unshare', unshare(CLONE_FS));
  // By pidfd (Linux 5.8): the namespace of exactly this process, or an error.
  checked('setns', setns(MOUNT_PIDFD, CLONE_NEWNS));
}

function perform({ task, tree, isFolder: folder }: Prepared): boolean {
  if (task.kind === 'look') return lstatSync(task.target, { throwIfNoEntry: false }) !== undefined;
  if (task.kind === 'unmount') {
    const isAnother = task.source !== undefined && !isSame(task.source, task.target);
    const layers = task.layers === 'all' ? LAYERS_MAX : 1;
    return takeAway(task.target, isAnother ? 0 : layers, task.remove);
  }
  if (task.unlessThere && isSame(identityOf(fstatSync(tree, { bigint: true })), task.target)) return false;
  const created = asOwner(() => createMountPoint(task.target, folder));
  const result = moveMount(MOVE_MOUNT, tree, '', AT_FDCWD, task.target, MOVE_MOUNT_F_EMPTY_PATH);
  checked('move_mount', result);
  return created;
}

/** Compares files, not names: names may contain links, and the kernel writes some characters differently. */
function isSame(source: FileIdentity, target: string): boolean {
  const found = statSync(target, { bigint: true, throwIfNoEntry: false });
  if (!found) return false;
  const { device, inode } = identityOf(found);
  return device === source.device && inode === source.inode;
}

function identityOf({ dev, ino }: BigIntStats): FileIdentity {
  return { device: String(dev), inode: String(ino) };
}

function takeAway(target: string, layersMax: number, remove: boolean): boolean {
  let found = false;
  for (let layer = 0; layer < layersMax; layer++) {
    if (Number(umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)) === -1) break;
    found = true;
  }
  // This may fail: the instance may have put something there, or may never have had the place.
  if (remove) asOwner(() => rmdir(target) === 0 || unlinkEmptyFile(target));
  return found;
}

function unlinkEmptyFile(target: string): boolean {
  const found = lstatSync(target, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === 0 && unlink(target) === 0;
}

function createMountPoint(target: string, folder: boolean): boolean {
  createParents(dirname(target));
  if (folder) return Number(mkdir(target, 0o755)) === 0;
  return Number(mknod(target, S_IFREG | 0o644, 0)) === 0;
}

function createParents(path: string): void {
  if (path === '/' || Number(mkdir(path, 0o755)) === 0) return;
  createParents(dirname(path));
  mkdir(path, 0o755);
}

/** New files inside belong to the container's root; file systems inside have no other ids. */
function asOwner<T>(act: () => T): T {
  setfsgid(owner.gid);
  setfsuid(owner.uid);
  try {
    return act();
  } finally {
    setfsuid(0);
    setfsgid(0);
  }
}
