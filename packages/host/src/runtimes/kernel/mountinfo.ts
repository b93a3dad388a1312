import { open } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A mount as the kernel describes it in /proc/PID/mountinfo, proc(5). */
export interface Mount {
  readonly id: number;
  readonly parent: number;
  /** Major and minor number of its file system. */
  readonly device: string;
  /** Which folder or file of the file system is mounted. */
  readonly root: string;
  readonly point: string;
  readonly readonly: boolean;
}

/** A guest may make many mounts: more bytes than this are not read. */
const GUEST_BYTES_MAX = 256 * 1024;
/** The limit for the host, where many other containers may have mounts. */
const HOST_BYTES_MAX = 4 * 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;

/**
 * The mounts that a process sees. Reading them does not wait for any file system, since no path is looked up.
 * @returns null when there are too many, or the process is gone
 */
export async function readMounts(pid: number | 'self'): Promise<readonly Mount[] | null> {
  const most = pid === 'self' ? HOST_BYTES_MAX : GUEST_BYTES_MAX;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    await using file = await open(`/proc/${pid}/mountinfo`, 'r');
    for (;;) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(CHUNK_BYTES) });
      if (bytesRead === 0) return parseMounts(Buffer.concat(chunks).toString('utf8'));
      chunks.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
      if (size > most) return null;
    }
  } catch {
    return null;
  }
}

/** Reads the text of mountinfo. */
export function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id, parent, device = '', root = '', point = '', options = ''] = line.split(' ');
      return {
        ...{ id: Number(id), parent: Number(parent), device, root: plain(root), point: plain(point) },
        readonly: options.split(',').includes('ro'),
      };
    });
}

/** The kernel writes white space and backslashes as octal numbers. */
function plain(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A file or folder, named by its file system and its path in there. */
export type Place = Pick<Mount, 'device' | 'root'>;

/** The file or folder that a path leads to, if no part of it is a link; null when that is uncertain. */
export function placeOf(mounts: readonly Mount[], path: string): Place | null {
  const clean = resolve('/', path);
  const mount = wayTo(mounts, clean)?.at(-1);
  if (!mount) return null;
  const inside = mount.point === '/' ? clean : clean.slice(mount.point.length);
  const root = mount.root === '/' ? '' : mount.root;
  return { device: mount.device, root: root + (inside === '/' ? '' : inside) || '/' };
}

/** Whether exactly the given place is what is mounted at a path. False when that is uncertain. */
export function isShown(
  mounts: readonly Mount[],
  path: string,
  { device, root, readonly }: Place & { readonly readonly: boolean },
): boolean {
  const clean = resolve('/', path);
  const mount = wayTo(mounts, clean)?.at(-1);
  return (
    mount?.point === clean && mount.device === device && mount.root === root && mount.readonly === readonly
  );
}

/** The mounts that a path leads through, each on the one before; null when some cover others. */
function wayTo(mounts: readonly Mount[], path: string): readonly Mount[] | null {
  const way = mounts
    .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
    .sort((one, other) => one.point.length - other.point.length);
  const isClean = way.every(({ parent, point }, index) => {
    const before = way[index - 1];
    return !before || (parent === before.id && point !== before.point);
  });
  return isClean ? way : null;
}
