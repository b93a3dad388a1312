/** An entry of GNU tar's output. */
export interface TarEntry {
  /** As in the arguments of GNU tar; a folder has no slash at the end. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  readonly uid: number;
  readonly mode: number;
  /** Of a file. */
  readonly content: Buffer;
}

const BLOCK = 512;

/** The fields of a header in GNU's format: beginning and end. */
const NAME = [0, 100] as const;
const MODE = [100, 108] as const;
const UID = [108, 116] as const;
const SIZE = [124, 136] as const;
const KIND = 156;

/** The content is the name of the next entry. */
const LONG_NAME = 'L';
/** The content is the target of the next entry, which is a link. */
const LONG_LINK = 'K';

/**
 * Reads what GNU tar has just written in its own format. One short program does the work of lstat(2), open(2) without
 * links, and fstat(2) for many files. An incomplete entry ends the reading.
 */
export function* tarEntries(archive: Buffer): Generator<TarEntry> {
  let longName = '';
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    const name = longName || textIn(header, NAME);
    const size = numberIn(header, SIZE);
    const end = at + BLOCK + size;
    if (name === '' || end > archive.length) return;
    const content = archive.subarray(at + BLOCK, end);
    const kind = String.fromCharCode(header[KIND] ?? 0);
    longName = kind === LONG_NAME ? textIn(content, [0, content.length]) : kind === LONG_LINK ? longName : '';
    at = end + ((BLOCK - (size % BLOCK)) % BLOCK);
    if (kind === LONG_NAME || kind === LONG_LINK) continue;
    yield {
      name: name.replace(/\/$/, ''),
      kind: kind === '0' ? 'file' : kind === '5' ? 'folder' : 'other',
      uid: numberIn(header, UID),
      mode: numberIn(header, MODE),
      content,
    };
  }
}

type Range = readonly [number, number];

function textIn(bytes: Buffer, [from, to]: Range): string {
  const end = bytes.indexOf(0, from);
  return bytes.toString('utf8', from, end < 0 || end > to ? to : end);
}

/** Octal digits. A number that is too large for them is there as bytes, after a first byte of 128. */
function numberIn(bytes: Buffer, [from, to]: Range): number {
  const digits = textIn(bytes, [from, to]).trim();
  if (bytes[from] === 0x80) return Number(`0x${bytes.toString('hex', from + 1, to)}`);
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
