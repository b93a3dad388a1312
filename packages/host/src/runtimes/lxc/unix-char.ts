import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostError } from '../../core/errors.ts';
import type { Device } from '../../core/model.ts';
import { deviceNumbers, makeCharacterNode } from '../../native/node.ts';

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const DEFAULT_MODE = 0o660;

/** A device node of ours that can be bound into an instance. */
export interface CharacterNode {
  /** On the host. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  /** For the list of allowed devices: `c MAJOR:MINOR`. */
  readonly numbers: string;
}

/**
 * Makes the node of a `unix-char` device below a folder of ours, owned by the ids it shall have inside.
 * @param idOffset host id of uid 0 inside
 * @returns null when the device is not there and not required
 * @throws CodedError bad-request when it is required and its node and numbers are unknown
 */
export function makeNode(
  folder: string,
  name: string,
  device: Device,
  idOffset: number,
): CharacterNode | null {
  const numbers = numbersOf(device);
  if (!numbers) return null;
  const { major, minor } = numbers;
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const source = nodePath(folder, name);
  rmSync(source, { force: true });
  const mode = device['mode'] ? Number.parseInt(device['mode'], 8) : DEFAULT_MODE;
  makeCharacterNode(source, major, minor, 0);
  chownSync(source, idOffset + Number(device['uid'] ?? 0), idOffset + Number(device['gid'] ?? 0));
  chmodSync(source, mode);
  const target = device['path'] ?? device['source'] ?? '';
  return { source, target, numbers: `c ${major}:${minor}` };
}

/** Where the node of a device is, below a folder of ours. */
export function nodePath(folder: string, name: string): string {
  return join(folder, encodeURIComponent(name));
}

/** What LXC lets every privileged container use: its common.conf. */
const ALWAYS_ALLOWED: readonly RegExp[] = [/^c 1:[35789]$/, /^c 5:[012]$/, /^c 136:/, /^c 10:229$/];

/**
 * Removes the node again.
 * @returns the numbers that the instance may not use any more; null when it may, by another device or by LXC's rule
 */
export function removeNode(folder: string, name: string): string | null {
  const path = nodePath(folder, name);
  const numbers = nodeNumbers(path);
  rmSync(path, { force: true });
  if (numbers === null || ALWAYS_ALLOWED.some((rule) => rule.test(numbers))) return null;
  const others = readdirSync(folder).map((entry) => nodeNumbers(join(folder, entry)));
  return others.includes(numbers) ? null : numbers;
}

function nodeNumbers(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  const { major, minor } = deviceNumbers(found.rdev);
  return `c ${major}:${minor}`;
}

function numbersOf(device: Device): { major: number; minor: number } | null {
  if (device['major'] !== undefined && device['minor'] !== undefined) {
    return { major: Number(device['major']), minor: Number(device['minor']) };
  }
  const path = device['source'] ?? device['path'] ?? '';
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && (found.mode & S_IFMT) === S_IFCHR) return deviceNumbers(found.rdev);
  if (device['required']?.toLowerCase() === 'false') return null;
  throw hostError(
    'bad-request',
    found
      ? `Not a character device: ${path}`
      : "The required device path doesn't exist and the major and minor settings are not specified",
  );
}
