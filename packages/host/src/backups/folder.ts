import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { copiesAmong, excessAmong, isPart, timeOf } from './copy-names.ts';
import type { Copy } from './order.ts';

const PRIVATE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;

/** Makes the folder if it is missing. @throws Error if other users can write to it */
export function prepareFolder(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const { uid, mode } = statSync(path);
  const isOurs = uid === process.geteuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
  // Others could replace a copy, and a recovery would then use their file.
  if (!isOurs) throw new Error(`other users can write to ${path}: give it to root, with mode 0700`);
}

/** The copies in a folder, the newest first; none if the folder is missing. */
export function copiesIn(folder: string, directoryId: string): Copy[] {
  return copiesAmong(namesIn(folder), directoryId).map((name) => ({
    name,
    createdAt: timeOf(name, directoryId) ?? '',
    bytes: statSync(join(folder, name)).size,
  }));
}

/** Removes unfinished copies that an earlier daemon has left. */
export function removeParts(folder: string, directoryId: string): void {
  for (const name of namesIn(folder)) if (isPart(name, directoryId)) rmSync(join(folder, name));
}

/** Removes the oldest copies, so that `count` stay. @param newest the copy that was just made */
export function removeExcess(folder: string, directoryId: string, count: number, newest: string): void {
  for (const name of excessAmong(namesIn(folder), directoryId, count, newest)) rmSync(join(folder, name));
}

/** Syncs a file or a folder to the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
