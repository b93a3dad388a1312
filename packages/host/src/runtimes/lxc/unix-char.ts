import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Device } from '../../core/entities.ts';
import { hostError } from '../../core/host-errors.ts';
import { IDS_PER_INSTANCE } from '../../core/host-ids.ts';
import type { InsideOwner } from '../../native/mount.ts';
import { deviceNumbers, makeCharacterNode } from '../../native/node.ts';
import type { Looks } from '../../process/look.ts';

const DEFAULT_MODE = 0o660;

/** A device node on the host that can be bound into an instance. */
export interface CharacterNode {
  /** On the host. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  /** For the list of allowed devices: `c MAJOR:MINOR`. */
  readonly numbers: string;
}

/**
 * Makes the node of a `unix-char` device below a folder of the host, owned by the host ids of its owner
 * inside.
 * @param owner host ids of uid and gid 0 inside
 * @returns null when the device does not exist and is not required
 * @throws CodedError bad-request when it is required and its node and numbers are unknown; id-outside when the instance
 * does not have its owner
 */
export async function makeNode(
  folder: string,
  name: string,
  device: Device,
  { owner, looks }: { owner: InsideOwner; looks: Looks },
): Promise<CharacterNode | null> {
  const numbers = await numbersOf(device, looks);
  if (!numbers) return null;
  const { major, minor } = numbers;
  const uid = owner.uid + idInside('user', device['uid'], owner.uid);
  const gid = owner.gid + idInside('group', device['gid'], owner.gid);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const source = nodePath(folder, name);
  await rm(source, { force: true });
  const mode = device['mode'] ? Number.parseInt(device['mode'], 8) : DEFAULT_MODE;
  makeCharacterNode(source, major, minor, 0);
  await chown(source, uid, gid);
  await chmod(source, mode);
  const target = device['path'] ?? device['source'] ?? '';
  return { source, target, numbers: `c ${major}:${minor}` };
}

/**
 * The owner of a node as an option says it. In a user namespace, an id outside of its range would show as nobody's.
 * @param first host id of id 0 inside; 0 without a user namespace
 */
function idInside(what: 'user' | 'group', option: string | undefined, first: number): number {
  const id = Number(option ?? 0);
  if (first !== 0 && id >= IDS_PER_INSTANCE)
    throw hostError('id-outside', what, String(id), String(IDS_PER_INSTANCE - 1));
  return id;
}

/** Path of a device's node, below the folder for nodes. */
export function nodePath(folder: string, name: string): string {
  return join(folder, encodeURIComponent(name));
}

/** Devices that LXC lets every privileged container use, as in its common.conf. */
const ALWAYS_ALLOWED: readonly RegExp[] = [/^c 1:[35789]$/, /^c 5:[012]$/, /^c 136:/, /^c 10:229$/];

/**
 * Removes the node again.
 * @returns the numbers that the instance may not use any more; null when it still may, through another device
 *   or by LXC's rule
 */
export async function removeNode(folder: string, name: string): Promise<string | null> {
  const path = nodePath(folder, name);
  const numbers = await nodeNumbers(path);
  await rm(path, { force: true });
  if (numbers === null || ALWAYS_ALLOWED.some((rule) => rule.test(numbers))) return null;
  const others = (await readdir(folder)).map((entry) => nodeNumbers(join(folder, entry)));
  return (await Promise.all(others)).includes(numbers) ? null : numbers;
}

async function nodeNumbers(path: string): Promise<string | null> {
  const found = await lstat(path).catch(() => null);
  if (!found) return null;
  const { major, minor } = deviceNumbers(found.rdev);
  return `c ${major}:${minor}`;
}

async function numbersOf(device: Device, looks: Looks): Promise<{ major: number; minor: number } | null> {
  if (device['major'] !== undefined && device['minor'] !== undefined) {
    return { major: Number(device['major']), minor: Number(device['minor']) };
  }
  const path = device['source'] ?? device['path'] ?? '';
  const found = await looks.at(path);
  if (found?.character) return found.character;
  if (device['required']?.toLowerCase() === 'false') return null;
  throw hostError(
    'bad-request',
    found
      ? `Not a character device: ${path}`
      : "The required device path doesn't exist and the major and minor settings are not specified",
  );
}
