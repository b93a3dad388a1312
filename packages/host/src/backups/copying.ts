import {
  closeSync,
  constants,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/coded-error.ts';
import { copyError } from '../store/sqlite/copy-errors.ts';
import { formAsCopy } from '../store/sqlite/copy-form.ts';
import { inspectCopy } from '../store/sqlite/inspect.ts';
import { partName } from './copy-names.ts';
import { prepareFolder, removeExcess, syncPath } from './folder.ts';
import type { Order, Told } from './order.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const PRIVATE = 0o600;
const BLOCK_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;
/** A copy leaves this much of the disk free, because instances and the store may be on the same disk. */
const FREE_BYTES_MIN = 64 * MIB;

export interface Talk {
  tell(line: Told): void;
  /** Waits for the next line of the daemon. @throws Error if the daemon is gone */
  hear(): void;
}

/** Makes a copy, first under another name. So a file with the name of a copy is always complete and checked. */
export function makeCopy(order: Extract<Order, { verb: 'create' }>, talk: Talk): void {
  const { database, folder, directoryId, name, count } = order;
  prepareFolder(folder);
  const part = join(folder, partName(name));
  try {
    copyFile(database, part, talk);
    talk.tell({ step: 'copied' });
    talk.hear();
    checkCopy(part, directoryId);
    syncPath(part);
    renameSync(part, join(folder, name));
  } catch (error) {
    for (const end of ['', '-journal', '-wal']) rmSync(`${part}${end}`, { force: true });
    throw error;
  }
  syncPath(folder);
  removeExcess(folder, directoryId, count, name);
}

/** @throws Error that says what to do: if the copy is damaged, the database itself may be damaged */
function checkCopy(path: string, directoryId: string): void {
  try {
    formAsCopy(path);
    const { id } = inspectCopy(path, true);
    if (id !== directoryId) throw copyError('copy-foreign', path, String(id), directoryId);
  } catch (error) {
    const why = messageOf(error).replaceAll(path, 'of it');
    throw new Error(`the database itself may be damaged, see "Recovery" in docs/operations.md: ${why}`);
  }
}

function copyFile(from: string, to: string, talk: Talk): void {
  const source = openSync(from, O_RDONLY);
  let target: number | undefined;
  try {
    target = openSync(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE);
    needRoom(to, statSync(from).size);
    talk.tell({ step: 'ready' });
    talk.hear();
    copyBlocks(source, target, statSync(from).size, talk);
  } finally {
    if (target !== undefined) closeSync(target);
    closeSync(source);
  }
}

function needRoom(path: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize >= bytes + FREE_BYTES_MIN) return;
  const needed = Math.ceil((bytes + FREE_BYTES_MIN) / MIB);
  throw new Error(`the disk of the copies has not enough room: ${needed} MiB are needed`);
}

function copyBlocks(source: number, target: number, size: number, talk: Talk): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  let told = 0;
  for (let done = 0; done < size; ) {
    const read = readSync(source, block, 0, Math.min(BLOCK_BYTES, size - done), done);
    if (read === 0) throw new Error('the database became shorter while it was copied');
    for (let written = 0; written < read; ) written += writeSync(target, block, written, read - written);
    done += read;
    const percent = Math.floor((done / size) * 100);
    if (percent > told) talk.tell({ step: 'copying', percent });
    told = percent;
  }
}
