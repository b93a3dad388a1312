import { invalidArchive } from './archive-error.ts';
import type { ByteSource } from './byte-source.ts';
import { checkGlobalPax, type PaxRecords, parsePax } from './pax.ts';
import { BLOCK_BYTES, decodeHeader, type RawHeader } from './tar-header.ts';

/** The header of an entry, with the values from the extended headers before it. */
export interface FullHeader {
  readonly header: RawHeader;
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
  readonly pax: PaxRecords;
}

const GNU_LONG_NAME = 'L';
const GNU_LONG_LINK = 'K';
/** The label of a volume, which says nothing about files. */
const GNU_LABEL = 'V';
const PAX_ENTRY = 'x';
/** The same of Solaris before POSIX had it. */
const PAX_SOLARIS = 'X';
const PAX_GLOBAL = 'g';

const PRELUDES = [GNU_LONG_NAME, GNU_LONG_LINK, GNU_LABEL, PAX_ENTRY, PAX_SOLARIS, PAX_GLOBAL];

/** Of a global header these are used for the entries after it; the others describe nothing that is kept. */
const GLOBAL_KEYS = ['uid', 'gid'];

interface Prelude {
  longName?: string;
  longLink?: string;
  pax?: PaxRecords;
  bytes: number;
}

/** Reads headers, and keeps what global extended headers have set. */
export class HeaderReader {
  readonly #source: ByteSource;
  readonly #bytesMax: number;
  readonly #globals = new Map<string, string>();

  /** @param bytesMax of the extended headers of one entry */
  constructor(source: ByteSource, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  /** The next header of an entry; null at the end mark. @throws CodedError image-invalid */
  async next(): Promise<FullHeader | null> {
    const prelude: Prelude = { bytes: 0 };
    for (;;) {
      const block = await this.#source.take(BLOCK_BYTES);
      if (!block) throw invalidArchive('it ends early');
      const header = decodeHeader(block);
      if (header && PRELUDES.includes(header.type)) {
        await this.#add(prelude, header);
        continue;
      }
      if (header) return this.#full(header, prelude);
      const isCut = prelude.pax ?? prelude.longName ?? prelude.longLink;
      if (isCut !== undefined) throw invalidArchive('it ends after an extended header');
      return null;
    }
  }

  async #add(prelude: Prelude, { type, size }: RawHeader): Promise<void> {
    prelude.bytes += BLOCK_BYTES + size;
    if (prelude.bytes > this.#bytesMax) throw invalidArchive('an extended header is too long');
    const body = await this.#source.take(size);
    if (!body) throw invalidArchive('it ends early');
    await this.#source.skip(paddingAfter(size));
    if (type === GNU_LONG_NAME) prelude.longName = longText(body);
    if (type === GNU_LONG_LINK) prelude.longLink = longText(body);
    if (type === PAX_ENTRY || type === PAX_SOLARIS) prelude.pax = parsePax(body);
    if (type === PAX_GLOBAL) this.#addGlobal(parsePax(body));
  }

  #addGlobal(records: PaxRecords): void {
    checkGlobalPax(records);
    for (const key of GLOBAL_KEYS) {
      const value = records.get(key);
      if (value !== undefined) this.#globals.set(key, value);
    }
  }

  /** An entry's own records are stronger than global ones. */
  #full(header: RawHeader, { longName, longLink, pax = new Map() }: Prelude): FullHeader {
    const merged = this.#globals.size > 0 ? new Map([...this.#globals, ...pax]) : pax;
    return { header, longName, longLink, pax: merged };
  }
}

/** Bytes after a body of `size` bytes, up to the next block. */
export function paddingAfter(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function longText(body: Buffer): string {
  const end = body.indexOf(0);
  return body.toString('latin1', 0, end < 0 ? body.length : end);
}
