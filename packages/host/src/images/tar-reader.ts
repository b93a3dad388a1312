import { invalidArchive, shown } from './archive-error.ts';
import { ByteSource } from './byte-source.ts';
import type { ImageLimits } from './image-limits.ts';
import { checkGlobalPax, PAX_XATTR, type PaxRecords, parsePax, paxNumber } from './pax.ts';
import { BLOCK_BYTES, decodeHeader, type RawHeader } from './tar-header.ts';

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
};

const GNU_LONG_NAME = 'L';
const GNU_LONG_LINK = 'K';
const PAX_ENTRY = 'x';
const PAX_GLOBAL = 'g';

/** Values from the extended headers before an entry's header. */
interface Prelude {
  longName?: string;
  longLink?: string;
  pax?: PaxRecords;
  bytes: number;
}

/**
 * Reads a tar archive: POSIX ustar and pax, and GNU's long names. Features that other tools might read in
 * another way (sparse files, several volumes, unknown kinds) are errors, and so is an end without the end
 * mark. Bytes after the end mark are read and ignored, as in GNU tar.
 * @throws CodedError image-invalid, image-too-large
 */
export async function* readTar(chunks: AsyncIterable<Buffer>, limits: ImageLimits): AsyncGenerator<TarEntry> {
  const source = new ByteSource(chunks, limits.unpackedBytes);
  try {
    for (let prelude: Prelude = { bytes: 0 }; ; prelude = { bytes: 0 }) {
      const header = await nextHeader(source, prelude, limits);
      if (!header) break;
      yield* entryOf(source, header, prelude);
    }
    await source.drain();
  } finally {
    await source.close();
  }
}

async function nextHeader(
  source: ByteSource,
  prelude: Prelude,
  limits: ImageLimits,
): Promise<RawHeader | null> {
  for (;;) {
    const block = await source.take(BLOCK_BYTES);
    if (!block) throw invalidArchive('it ends early');
    const header = decodeHeader(block);
    if (!header && prelude.bytes > 0) throw invalidArchive('it ends after an extended header');
    if (!header || !isPrelude(header.type)) return header;
    prelude.bytes += BLOCK_BYTES + header.size;
    if (prelude.bytes > limits.headerBytes) throw invalidArchive('an extended header is too long');
    const body = await source.take(header.size);
    if (!body) throw invalidArchive('it ends early');
    await source.skip(padding(header.size));
    readPrelude(prelude, header.type, body);
  }
}

const isPrelude = (type: string) => [GNU_LONG_NAME, GNU_LONG_LINK, PAX_ENTRY, PAX_GLOBAL].includes(type);

function readPrelude(prelude: Prelude, type: string, body: Buffer): void {
  if (type === GNU_LONG_NAME) prelude.longName = longText(body);
  if (type === GNU_LONG_LINK) prelude.longLink = longText(body);
  if (type === PAX_ENTRY) prelude.pax = parsePax(body);
  if (type === PAX_GLOBAL) checkGlobalPax(parsePax(body));
}

function longText(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('latin1', 0, end < 0 ? body.length : end);
}

async function* entryOf(source: ByteSource, header: RawHeader, prelude: Prelude): AsyncGenerator<TarEntry> {
  const pax: PaxRecords = prelude.pax ?? new Map();
  const name = pax.get('path') ?? prelude.longName ?? header.name;
  const size = paxNumber(pax, 'size') ?? header.size;
  const kind = kindOf(header.type, name);
  if (kind !== 'file' && size !== 0) throw invalidArchive(`${shown(name)} is no file but has a content`);
  const body = new Body(source, size);
  yield {
    name,
    kind,
    linkName: pax.get('linkpath') ?? prelude.longLink ?? header.linkName,
    mode: header.mode,
    uid: paxNumber(pax, 'uid') ?? header.uid,
    gid: paxNumber(pax, 'gid') ?? header.gid,
    size,
    mtime: header.mtime,
    major: header.major,
    minor: header.minor,
    xattrs: xattrsOf(pax),
    body,
  };
  await body.finish();
}

/** Old archives list a directory as a file with a slash at the end of its name. */
function kindOf(type: string, name: string): EntryKind {
  const kind = KINDS[type];
  if (!kind) throw invalidArchive(`${shown(name)} is of the unknown kind ${shown(type)}`);
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind;
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
    await this.#source.skip(this.#missing + padding(this.#size));
  }
}

const padding = (size: number) => (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
