import { invalidArchive, shown } from './archive-error.ts';
import { ByteSource } from './byte-source.ts';
import type { ImageLimits } from './image-limits.ts';
import { PAX_SPARSE, PAX_XATTR, type PaxRecords, paxNumber, paxText } from './pax.ts';
import { oldGnuMap, paxMap, type ReadMap, type SparseMap } from './sparse.ts';
import type { RawHeader } from './tar-header.ts';
import { type FullHeader, HeaderReader, paddingAfter } from './tar-prelude.ts';

export type EntryKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block';

/** An entry as the archive has it: it can be read, but nothing else has been checked. */
export interface TarEntry {
  /** As latin1: one character per byte. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the body: 0 unless it is a file. */
  readonly size: number;
  /** Of a file with holes: how large it is, and where its body belongs. */
  readonly sparse?: SparseMap | undefined;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes: name and value as latin1. */
  readonly xattrs: readonly (readonly [string, string])[];
  /** The content; bytes that are not read are skipped when the next entry is read. */
  readonly body: AsyncIterable<Buffer>;
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  D: 'directory',
  S: 'file',
};

/** A directory of an incremental backup of GNU tar; its content, a list of names, is skipped. */
const GNU_DUMP_DIRECTORY = 'D';
const GNU_SPARSE = 'S';

/**
 * Reads a tar archive: Unix version 7, POSIX ustar and pax, GNU's long names and sparse files. Features that
 * other tools might read in another way (several volumes, unknown kinds) are errors, and so is an end without
 * the end mark. Bytes after the end mark are read and ignored, as in GNU tar.
 * @throws CodedError image-invalid, image-too-large
 */
export async function* readTar(chunks: AsyncIterable<Buffer>, limits: ImageLimits): AsyncGenerator<TarEntry> {
  const source = new ByteSource(chunks, limits.unpackedBytes);
  const headers = new HeaderReader(source, limits.headerBytes);
  try {
    for (let full = await headers.next(); full; full = await headers.next()) {
      yield* entryOf(source, full, limits);
    }
    await source.drain();
  } finally {
    await source.close();
  }
}

async function* entryOf(source: ByteSource, full: FullHeader, limits: ImageLimits): AsyncGenerator<TarEntry> {
  const { header, pax } = full;
  const name = nameOf(full);
  const kind = kindOf(header, name);
  const taken = sizeOf(full, kind, name);
  const read = await sparseOf(source, full, limits);
  if (read && kind !== 'file') throw invalidArchive(`${shown(name)} is sparse, but no file`);
  const size = checkedSize(read, taken, name);
  if (read) source.charge(read.map.realSize - size);
  const body = new Body(source, size);
  yield {
    name,
    kind,
    linkName: paxText(pax, 'linkpath') ?? full.longLink ?? header.linkName,
    mode: header.mode,
    uid: paxNumber(pax, 'uid') ?? header.uid,
    gid: paxNumber(pax, 'gid') ?? header.gid,
    size: kind === 'file' ? size : 0,
    sparse: read?.map,
    mtime: header.mtime,
    major: header.major,
    minor: header.minor,
    xattrs: xattrsOf(pax),
    body,
  };
  await body.finish();
}

/** The name of a sparse file in the pax formats is that of a folder which does not exist. */
function nameOf({ header, longName, pax }: FullHeader): string {
  return paxText(pax, `${PAX_SPARSE}name`) ?? paxText(pax, 'path') ?? longName ?? header.name;
}

/** Old archives list a directory as a file with a slash at the end of its name. */
function kindOf({ type, isGnu }: RawHeader, name: string): EntryKind {
  const kind = KINDS[type];
  if (!kind || (type === GNU_SPARSE && !isGnu))
    throw invalidArchive(`${shown(name)} is of the unknown kind ${shown(type)}`);
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind;
}

/** Bytes that an entry has in the archive. Some programs give a hard link the size of its file, but no body. */
function sizeOf({ header, pax }: FullHeader, kind: EntryKind, name: string): number {
  if (kind === 'hardlink') return 0;
  const size = paxNumber(pax, 'size') ?? header.size;
  if (kind !== 'file' && header.type !== GNU_DUMP_DIRECTORY && size !== 0) {
    throw invalidArchive(`${shown(name)} is no file but has a content`);
  }
  return size;
}

async function sparseOf(
  source: ByteSource,
  { header, pax }: FullHeader,
  { headerBytes }: ImageLimits,
): Promise<ReadMap | null> {
  if (header.type !== GNU_SPARSE) return paxMap(source, pax, headerBytes);
  return { map: await oldGnuMap(source, header.block, headerBytes), mapBytes: 0 };
}

function checkedSize(read: ReadMap | null, taken: number, name: string): number {
  if (!read) return taken;
  const stored = read.map.regions.reduce((sum, [, length]) => sum + length, 0);
  if (stored + read.mapBytes !== taken) {
    throw invalidArchive(`${shown(name)} has ${taken} bytes, and its map needs ${stored + read.mapBytes}`);
  }
  return stored;
}

function xattrsOf(pax: PaxRecords): readonly (readonly [string, string])[] {
  const ours = [...pax].filter(([key]) => key.startsWith(PAX_XATTR));
  return ours.map(([key, value]) => [key.slice(PAX_XATTR.length), value] as const);
}

/** The content of an entry, in pieces. */
class Body implements AsyncIterable<Buffer> {
  readonly #source: ByteSource;
  readonly #size: number;
  #missing: number;

  constructor(source: ByteSource, size: number) {
    this.#source = source;
    this.#size = size;
    this.#missing = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for await (const piece of this.#source.pieces(this.#missing)) {
      this.#missing -= piece.length;
      yield piece;
    }
  }

  /** Skips the bytes that have not been read, and the padding. */
  async finish(): Promise<void> {
    await this.#source.skip(this.#missing + paddingAfter(this.#size));
  }
}
