import { open, truncate } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostError } from '../../core/host-errors.ts';
import { tryLock } from '../../native/lock.ts';
import { run } from '../../process/run.ts';
import { statusField } from './processes.ts';
import { bareReason, imageReason } from './root-reasons.ts';

// An image (`root.img`) is a sparse file with the file system for what an instance writes. Only the kernel and the
// tools of ext4 write this file: a guest chooses what is in the file system, but never its blocks.

/** Limit for a tool: the disk may be slow, and a large file system grows in steps of 128 MiB. */
const TIMEOUT_MS = 60_000;
/** How long another program may hold an image while it attaches it to a loop device. */
const LOCK_SECONDS = 10;

/** How often the daemon checks whether a damaged image is still in use, and the time between two checks. */
const DETACHED_TRIES = 30;
const DETACHED_TRY_MS = 100;

/** Only root may read an image, because it has the files of all users of an instance. */
const PRIVATE = 0o600;

const CAP_SYS_RESOURCE = 24n;

const BLOCK_BYTES = 4096;
/** Instances write many small files, such as those of packages. */
const BYTES_PER_INODE = 8192;
const GIB = 2 ** 30;
/** Size of the journal in MiB: small in a small image, to leave room for files; larger in a large one, for speed. */
const journalSize = (bytes: number) => (bytes < GIB ? 4 : 32);

/** With `discard`, the host gets back the space of files that the instance removes. */
const OPTIONS = 'loop,nosuid,nodev,discard,errors=remount-ro';

/**
 * Lets one program at a time attach the image: two loop devices for one file would destroy its file system. flock(1)
 * becomes the command (`--no-fork`), so that the command ends with the daemon.
 */
const LOCK = ['flock', '--no-fork', '--timeout', `${LOCK_SECONDS}`, '--conflict-exit-code', '75'];
const MOUNT = ['mount', '-n', '-t', 'ext4', '-o', OPTIONS, '--make-private'];

/** Runs a command in a mount namespace of its own, with the image mounted. The mount ends with the command. */
const INSIDE = `${LOCK.join(' ')} "$1" ${MOUNT.join(' ')} "$1" "$2" && shift 2 && exec "$@"`;

/** Tells the loop device that its file has grown, and then the file system. */
const GROW = 'device=$(findmnt -n -o SOURCE "$0") && losetup -c "$device" && exec resize2fs "$device"';

/** The words before a command with which it sees the image mounted at a place. */
export function withImage(image: string, point: string): readonly string[] {
  return ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', INSIDE, 'sh', image, point];
}

/** Mounts an image in the host's mount namespace. @throws CodedError root-failed */
export async function mountImage(image: string, point: string): Promise<void> {
  await using file = await open(image, 'r');
  // Usually no other program has the lock, and a start with one program less is faster.
  const lock = tryLock(file.fd) ? [] : [...LOCK, image];
  await tool([...lock, ...MOUNT, image, point]);
}

/**
 * Makes an image.
 * @param content folder with the first files of its file system @throws CodedError root-failed
 */
export async function makeImage(image: string, bytes: number, content: string): Promise<void> {
  await sparse(image, bytes);
  await tool([
    ...['mkfs.ext4', '-q', '-F', '-m', '0', '-b', `${BLOCK_BYTES}`, '-i', `${BYTES_PER_INODE}`],
    ...['-J', `size=${journalSize(bytes)}`, '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard'],
    ...['-d', content, image],
  ]);
}

/** Whether the daemon may make a mounted file system larger. That needs CAP_SYS_RESOURCE, capabilities(7). */
export function canGrow(): boolean {
  const effective = statusField(process.pid, 'CapEff') ?? '0';
  return ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/**
 * Makes an image and its file system larger. It may be mounted; see {@link canGrow}.
 * @throws CodedError root-failed
 */
export async function growImage(image: string, point: string, bytes: number): Promise<void> {
  await truncate(image, bytes).catch((error) => {
    throw hostError('root-failed', bareReason(error));
  });
  await tool([...withImage(image, point), 'sh', '-c', GROW, point]);
}

/**
 * Corrects errors in the file system of an image that is not mounted. There is no time limit, because the guest decides
 * how many files there are. The program ends with this daemon, because the next one may mount the image.
 * @throws CodedError root-failed
 */
export async function repairImage(image: string): Promise<void> {
  const REPAIRED_MAX = 3;
  await awaitDetached(image);
  const command = ['--pdeathsig=KILL', '--', ...LOCK, image, 'e2fsck', '-p', '-f', image];
  const { code, failure } = await run('setpriv', command, { cwd: '/' });
  if (code === null || code > REPAIRED_MAX)
    throw hostError('root-failed', `its file system is damaged (${failure}): e2fsck -f ${image}`);
}

/** Brings all of a file to the disk. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/**
 * Waits until no loop device has the image: the kernel takes a moment after the end of the instance. A program of the
 * host can keep the file system mounted for longer, such as a shell in one of its folders.
 * @throws CodedError root-failed
 */
async function awaitDetached(image: string): Promise<void> {
  for (let tries = 0; tries < DETACHED_TRIES; tries++) {
    const { ok, failure, stdout } = await run('losetup', ['--associated', image], { timeoutMs: TIMEOUT_MS });
    if (!ok) throw hostError('root-failed', failure);
    if (stdout === '') return;
    await sleep(DETACHED_TRY_MS);
  }
  throw hostError('root-failed', 'its file system has errors, but a program of the host still uses it');
}

async function sparse(image: string, bytes: number): Promise<void> {
  try {
    await using file = await open(image, 'w', PRIVATE);
    await file.truncate(bytes);
  } catch (error) {
    throw hostError('root-failed', bareReason(error));
  }
}

async function tool([command = '', ...args]: readonly string[]): Promise<void> {
  const done = await run('setpriv', ['--pdeathsig=KILL', '--', command, ...args], {
    timeoutMs: TIMEOUT_MS,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  if (!done.ok) throw hostError('root-failed', imageReason(done.failure));
}
