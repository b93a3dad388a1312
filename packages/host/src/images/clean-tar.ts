import { type ArchiveItem, type Layout, type RootEntry, readArchive } from './archive.ts';
import type { ImageLimits } from './image-limits.ts';
import type { LastEntries } from './last-entries.ts';
import type { TarEntry } from './tar-reader.ts';
import { encodeHeader, paddingOf, TAR_END } from './tar-writer.ts';

/** Mode of folders that an archive does not list, and of the root, which every user inside must enter. */
const FOLDER_MODE = 0o755;

/** Prefix of attributes that the overlay of an instance would interpret. */
const OVERLAY_XATTR = 'user.overlay.';

/** Pieces are joined to about this size: a small file consists of two tiny pieces. */
const CHUNK_BYTES = 256 * 1024;

/** Thrown where an entry replaces one before it, which may be unpacked already. */
export class EntryReplaced extends Error {}

/**
 * The root filesystem of an archive as a new tar archive, written from the checked entries. The tool that
 * unpacks it sees no header bytes that a stranger wrote, so it cannot read them in another way. It sees each
 * path once, apart from folders.
 * @param last what {@link lastEntries} has found in the same archive; without it, no entry may replace another
 * @throws CodedError image-invalid, image-too-large; EntryReplaced
 */
export async function* cleanTar(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
  last?: LastEntries,
): AsyncGenerator<Buffer> {
  yield* joined(piecesOf(readArchive(chunks, layout, limits), last));
}

async function* piecesOf(
  items: AsyncIterable<ArchiveItem>,
  last: LastEntries | undefined,
): AsyncGenerator<Buffer> {
  const made = new Set<string>();
  for await (const item of items) {
    if (item.kind !== 'root-entry') continue;
    const { root } = item;
    if (last) yield* lastPieces(root, last.get(root.ordinal) ?? [], made);
    else yield* firstPieces(root);
  }
  yield TAR_END;
}

/** An entry of an archive without replacements, where it is. */
async function* firstPieces({ replaces, skipped, ...root }: RootEntry): AsyncGenerator<Buffer> {
  if (replaces) throw new EntryReplaced();
  for (const parent of root.newParents) yield folderHeader(parent, root.entry.mtime);
  if (!skipped) yield* entryPieces(root.entry, root.path, root.target);
}

/** An entry at those paths that it has at the end, which may be none: a hard link to it may outlive it. */
async function* lastPieces(
  { entry, skipped }: RootEntry,
  [path, ...links]: readonly string[],
  made: Set<string>,
): AsyncGenerator<Buffer> {
  if (path === undefined) return;
  for (const each of [path, ...links]) yield* newFolders(each, entry.mtime, made);
  if (entry.kind === 'directory') made.add(path);
  if (skipped) return;
  yield* entryPieces(entry, path, '');
  for (const link of links) yield* entryPieces({ ...entry, ...LINK }, link, path);
}

const LINK = { kind: 'hardlink', size: 0, sparse: undefined, xattrs: [] } as const;

function* newFolders(path: string, mtime: number, made: Set<string>): Generator<Buffer> {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash);
    if (made.has(parent)) continue;
    made.add(parent);
    yield folderHeader(parent, mtime);
  }
}

/** @param target of a hard link */
async function* entryPieces(entry: TarEntry, path: string, target: string): AsyncGenerator<Buffer> {
  const { kind } = entry;
  if (kind === 'character' || kind === 'block') return;
  const linkName = kind === 'hardlink' ? target : entry.linkName;
  const mode = path === '' ? FOLDER_MODE : entry.mode;
  const owner = path === '' ? { uid: 0, gid: 0 } : {};
  const xattrs = entry.xattrs.filter(([name]) => isKept(name));
  yield encodeHeader({ ...entry, ...owner, kind, name: nameOf(path), linkName, mode, xattrs });
  if (entry.size === 0) return;
  yield* entry.body;
  yield paddingOf(entry.size);
}

function folderHeader(path: string, mtime: number): Buffer {
  const fixed = { linkName: '', mode: FOLDER_MODE, uid: 0, gid: 0, size: 0, xattrs: [] };
  return encodeHeader({ name: nameOf(path), kind: 'directory', mtime, ...fixed });
}

const nameOf = (path: string) => `./${path}`;

/** Keeps file capabilities and the attributes of programs; all others are for the host to set. */
function isKept(xattr: string): boolean {
  return xattr === 'security.capability' || (xattr.startsWith('user.') && !xattr.startsWith(OVERLAY_XATTR));
}

async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}
