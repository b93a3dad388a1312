import { type Layout, type RootEntry, readArchive } from './archive.ts';
import type { ImageLimits } from './image-limits.ts';
import { encodeHeader, paddingOf, TAR_END } from './tar-writer.ts';

/** Mode of folders that an archive does not list, and of the root, which every user inside must enter. */
const FOLDER_MODE = 0o755;

/** Prefix of attributes that the overlay of an instance would interpret. */
const OVERLAY_XATTR = 'user.overlay.';

/** Pieces are joined to about this size: a small file consists of two tiny pieces. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The root filesystem of an archive as a new tar archive, written from the checked entries. The tool that
 * unpacks it sees no header bytes that a stranger wrote, so it cannot read them in another way.
 * @throws CodedError image-invalid, image-too-large
 */
export async function* cleanTar(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
): AsyncGenerator<Buffer> {
  yield* joined(piecesOf(chunks, layout, limits));
}

async function* piecesOf(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
): AsyncGenerator<Buffer> {
  for await (const item of readArchive(chunks, layout, limits)) {
    if (item.kind === 'root-entry') yield* entryPieces(item.root);
  }
  yield TAR_END;
}

async function* entryPieces({ entry, path, target, newParents, skipped }: RootEntry): AsyncGenerator<Buffer> {
  for (const parent of newParents) yield folderHeader(parent, entry.mtime);
  const { kind } = entry;
  if (skipped || kind === 'character' || kind === 'block') return;
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
