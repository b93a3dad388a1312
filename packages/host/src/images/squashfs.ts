import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { hostError } from '../core/host-errors.ts';
import type { HostIds } from '../core/host-ids.ts';
import { filter } from '../process/filter.ts';
import { invalidArchive, shown } from './archive-error.ts';
import { EntryTree, type TreeEntry } from './entry-tree.ts';
import type { ImageLimits } from './image-limits.ts';
import { asInstanceRoot, asNobody } from './sandbox.ts';
import type { EntryKind } from './tar-reader.ts';

/** The result of a check. */
export interface SquashfsContent {
  /** Files, folders and the like. */
  readonly entries: number;
  /** Paths of device nodes, none of which is unpacked. */
  readonly devices: readonly string[];
}

/** The file, by the descriptor that the command inherits: its folder can be entered only by root. */
const ITSELF = '/proc/self/fd/0';

/** The start of each path in the list of unsquashfs. */
const TOP = 'squashfs-root';

/** Superblock of squashfs 4.0: number of inodes at 4, bytes used at 40, both little-endian. */
const SUPERBLOCK = { bytes: 96, inodesAt: 4, usedAt: 40 };

/** A line of `unsquashfs -lln`: mode, owner, size or device numbers, date, time, path. */
const LINE =
  /^([-dlpcbs])[-rwxsStT]{9} +(\d+)\/(\d+) +(?:(\d+)|(\d+), *(\d+)) \d{4}-\d\d-\d\d \d\d:\d\d (.*)$/;

const KINDS: Readonly<Record<string, EntryKind>> = {
  '-': 'file',
  d: 'directory',
  l: 'symlink',
  p: 'fifo',
  s: 'fifo',
  c: 'character',
  b: 'block',
};

/**
 * Checks a squashfs to its last block, without unpacking it to disk.
 * @throws CodedError image-invalid, image-too-large
 */
export async function checkSquashfs(
  path: string,
  limits: ImageLimits,
  signal: AbortSignal,
): Promise<SquashfsContent> {
  const file = await open(path, 'r');
  try {
    await checkSuperblock(file, limits);
    const content = await checkList(file, limits, signal);
    // Reads all content without writing it anywhere: only this finds a damaged block.
    await unsquash(file, asNobody(['unsquashfs', '-q', '-n', '-pf', '/dev/null', ITSELF]), { signal });
    return content;
  } finally {
    await file.close();
  }
}

/**
 * Unpacks a squashfs into an existing folder that belongs to `ids`, after checking its list again. After a
 * refusal the folder has to be removed.
 * @throws CodedError image-invalid, image-too-large
 */
export async function unpackSquashfs(
  path: string,
  target: string,
  options: { ids: HostIds; limits: ImageLimits; signal: AbortSignal; onProgress(percent: number): void },
): Promise<void> {
  const { ids, limits, signal, onProgress } = options;
  const file = await open(path, 'r');
  try {
    await checkSuperblock(file, limits);
    const { entries, devices } = await checkList(file, limits, signal);
    const command = ['unsquashfs', '-n', '-i', '-f', '-no-wildcards', '-d', target, '-excludes', ITSELF];
    let lines = 0;
    const onLine = () => onProgress(Math.min(99, Math.floor((++lines / entries) * 100)));
    await unsquash(file, asInstanceRoot(ids, [...command, ...devices]), { signal, onLine });
    await refuseOverlayAttributes(target, ids, signal);
  } finally {
    await file.close();
  }
}

/**
 * Attributes that the overlay of an instance would interpret, such as one that takes a file from elsewhere.
 * unsquashfs can leave out all attributes or none, and capabilities of files must stay.
 */
const OVERLAY_ATTRIBUTES = '^(user|trusted)\\.overlay\\.';

async function refuseOverlayAttributes(target: string, ids: HostIds, signal: AbortSignal): Promise<void> {
  const search = ['getfattr', '--recursive', '--physical', '--no-dereference', '--absolute-names'];
  const command = asInstanceRoot(ids, [...search, `--match=${OVERLAY_ATTRIBUTES}`, '--', target]);
  await linesOf(command, { signal }, (line) => {
    throw invalidArchive(`the squashfs has attributes of an overlay: ${shown(line.replace(target, ''))}`);
  });
}

async function checkSuperblock(file: FileHandle, limits: ImageLimits): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SUPERBLOCK.bytes), 0, SUPERBLOCK.bytes, 0);
  const { size } = await file.stat();
  if (bytesRead < SUPERBLOCK.bytes) throw invalidArchive('the squashfs ends early');
  if (buffer.readBigUInt64LE(SUPERBLOCK.usedAt) > BigInt(size))
    throw invalidArchive('the squashfs ends early');
  if (buffer.readUInt32LE(SUPERBLOCK.inodesAt) > limits.entries) throw tooMany(limits);
}

async function checkList(
  file: FileHandle,
  limits: ImageLimits,
  signal: AbortSignal,
): Promise<SquashfsContent> {
  const tree = new EntryTree(limits, { root: '', mayReplace: false });
  const devices: string[] = [];
  let entries = 0;
  let bytes = 0;
  const onLine = (line: string) => {
    const entry = parseLine(line);
    bytes += entry.size;
    if (bytes > limits.unpackedBytes) throw tooLarge(limits);
    if (++entries > limits.entries) throw tooMany(limits);
    const { path, skipped } = tree.add(entry);
    if (skipped) devices.push(path);
  };
  await unsquash(file, asNobody(['unsquashfs', '-lln', '-UTC', ITSELF]), { signal, onLine });
  if (entries === 0) throw invalidArchive('the squashfs is empty');
  return { entries, devices };
}

function parseLine(line: string): TreeEntry & { size: number } {
  const match = LINE.exec(line);
  const [, type = '', uid, gid, size = '0', major = '0', minor = '0', text = ''] = match ?? [];
  const kind = KINDS[type];
  if (!match || !kind)
    throw invalidArchive(`the squashfs has an entry that cannot be unpacked: ${shown(line)}`);
  const arrow = kind === 'symlink' ? text.indexOf(' -> ') : -1;
  const name = arrow < 0 ? text : text.slice(0, arrow);
  if (name !== TOP && !name.startsWith(`${TOP}/`)) throw invalidArchive(`an entry outside: ${shown(name)}`);
  return {
    name: `.${name.slice(TOP.length)}`,
    kind,
    linkName: arrow < 0 ? '' : text.slice(arrow + ' -> '.length),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    major: Number(major),
    minor: Number(minor),
  };
}

/** Runs unsquashfs on an open file; an error thrown by `onLine` ends it. */
async function unsquash(
  file: FileHandle,
  command: readonly [string, ...string[]],
  { signal, onLine = () => {} }: { signal: AbortSignal; onLine?: (line: string) => void },
): Promise<void> {
  await linesOf(command, { signal, stdin: file.fd }, onLine);
}

async function linesOf(
  [command, ...args]: readonly [string, ...string[]],
  options: { signal: AbortSignal; stdin?: number },
  onLine: (line: string) => void,
): Promise<void> {
  const child = filter(command, args, options);
  try {
    const lines = createInterface({ input: child.output.setEncoding('latin1'), crlfDelay: 0 });
    for await (const line of lines) onLine(line);
    const { ok, failure } = await child.ended;
    options.signal.throwIfAborted();
    if (!ok) throw hostError('image-invalid', `The squashfs is damaged or incomplete: ${failure}`);
  } finally {
    child.kill();
    child.output.resume();
    await child.ended;
  }
}

const tooMany = ({ entries }: ImageLimits) => hostError('image-too-large', `more than ${entries} files`);

const tooLarge = ({ unpackedBytes }: ImageLimits) =>
  hostError('image-too-large', `more than ${unpackedBytes} bytes when unpacked`);
