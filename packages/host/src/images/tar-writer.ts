import { PAX_SPARSE, PAX_XATTR } from './pax.ts';
import type { SparseMap } from './sparse.ts';
import { BLOCK_BYTES, checksum, FIELD, type FieldName, GNU_MAGIC, POSIX_MAGIC } from './tar-header.ts';
import type { EntryKind, TarEntry } from './tar-reader.ts';

/** The fields of a header; names as latin1. */
export type TarHeader = Pick<
  TarEntry,
  'name' | 'kind' | 'linkName' | 'mode' | 'uid' | 'gid' | 'size' | 'sparse' | 'mtime' | 'xattrs'
>;

type WritableKind = Exclude<EntryKind, 'character' | 'block'>;

const TYPES: Readonly<Record<WritableKind, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  directory: '5',
  fifo: '6',
};

/** GNU tar's name for the header that carries a long name. */
const LONG_NAME = '././@LongLink';
const PERMISSIONS = 0o7777;
/** The largest number that fits into eleven octal digits. */
const OCTAL_MAX = 0o77777777777;

/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES);

/**
 * The header blocks of an entry in GNU tar's format, extended attributes as a pax header. A sparse file is
 * one of version 1.0, and its map follows its header. No device nodes.
 */
export function encodeHeader(header: TarHeader & { readonly kind: WritableKind }): Buffer {
  const blocks: Buffer[] = [];
  const records = encodePax(header);
  if (records !== '') blocks.push(...prelude('x', records));
  if (header.linkName.length > FIELD.linkName[1]) blocks.push(...prelude('K', `${header.linkName}\0`));
  if (header.name.length > FIELD.name[1]) blocks.push(...prelude('L', `${header.name}\0`));
  const map = header.sparse ? encodeMap(header.sparse) : Buffer.alloc(0);
  // GNU tar looks for such a map only in archives of POSIX.
  const magic = header.sparse ? `${POSIX_MAGIC}00` : GNU_MAGIC;
  blocks.push(block({ ...header, size: header.size + map.length, type: TYPES[header.kind], magic }), map);
  return Buffer.concat(blocks);
}

/** Zeros that follow a body of `size` bytes. */
export function paddingOf(size: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

type Block = Omit<TarHeader, 'kind' | 'xattrs' | 'sparse'> & {
  readonly type: string;
  readonly magic?: string | undefined;
};

function block(header: Block): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  put(bytes, 'name', header.name);
  putOctal(bytes, 'mode', header.mode & PERMISSIONS);
  putOctal(bytes, 'uid', header.uid);
  putOctal(bytes, 'gid', header.gid);
  putSize(bytes, header.size);
  putOctal(bytes, 'mtime', Math.min(Math.max(header.mtime, 0), OCTAL_MAX));
  put(bytes, 'type', header.type);
  put(bytes, 'linkName', header.linkName);
  put(bytes, 'magic', header.magic ?? GNU_MAGIC);
  putOctal(bytes, 'checksum', checksum(bytes));
  return bytes;
}

function prelude(type: string, text: string): readonly Buffer[] {
  const body = Buffer.from(text, 'latin1');
  const fields = {
    name: LONG_NAME,
    linkName: '',
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: 0,
    size: body.length,
    type,
  };
  return [block(fields), body, paddingOf(body.length)];
}

function encodePax({ xattrs, sparse }: TarHeader): string {
  const records = xattrs.map(([name, value]) => [`${PAX_XATTR}${name}`, value] as const);
  const version = Object.entries({ major: 1, minor: 0, realsize: sparse?.realSize });
  const ofSparse = sparse ? version.map(([key, value]) => [`${PAX_SPARSE}${key}`, value] as const) : [];
  return [...records, ...ofSparse].map(([key, value]) => paxRecord(`${key}=${value}\n`)).join('');
}

/** How many regions, and the numbers of each, on lines of their own. An empty one at the end gives the size. */
function encodeMap({ regions, realSize }: SparseMap): Buffer {
  const numbers = [regions.length + 1, ...regions.flat(), realSize, 0];
  const text = Buffer.from(`${numbers.join('\n')}\n`);
  return Buffer.concat([text, paddingOf(text.length)]);
}

/** The length at the start includes its own digits. */
function paxRecord(text: string): string {
  let length = text.length + 2;
  while (`${length} `.length + text.length > length) length++;
  return `${length} ${text}`;
}

function put(bytes: Buffer, field: FieldName, text: string): void {
  const [start, length] = FIELD[field];
  bytes.write(text.slice(0, length), start, length, 'latin1');
}

/** In octal, or in GNU's base 256 from 8 GiB on. */
function putSize(bytes: Buffer, size: number): void {
  if (size <= OCTAL_MAX) {
    putOctal(bytes, 'size', size);
    return;
  }
  const [start, length] = FIELD.size;
  bytes[start] = 0x80;
  bytes.writeBigUInt64BE(BigInt(size), start + length - 8);
}

function putOctal(bytes: Buffer, field: FieldName, value: number): void {
  const [, length] = FIELD[field];
  put(bytes, field, value.toString(8).padStart(length - 1, '0'));
}
