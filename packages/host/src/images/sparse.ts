import { invalidArchive, shown } from './archive-error.ts';
import type { ByteSource } from './byte-source.ts';
import { PAX_SPARSE, type PaxRecords, paxNumber } from './pax.ts';
import { BLOCK_BYTES, decodeNumber } from './tar-header.ts';

/** A part of a sparse file that is stored: [offset, length] in bytes. */
export type Region = readonly [offset: number, length: number];

/** A file with holes. Its body is the content of its regions, one after the other. */
export interface SparseMap {
  /** Bytes of the whole file. */
  readonly realSize: number;
  /** In ascending order, without overlaps, below the size. */
  readonly regions: readonly Region[];
}

/** A map that was before the content, and how many bytes of the entry it took. */
export interface ReadMap {
  readonly map: SparseMap;
  readonly mapBytes: number;
}

/** The old GNU format: four regions in the header, then the real size; 21 in each further block. */
const OLD = { number: 12, inHeader: 4, headerAt: 386, moreAt: 482, realSizeAt: 483, inBlock: 21 };
const OLD_BLOCK_MORE_AT = 504;

/** Of a number in decimal. */
const DIGITS_MAX = 16;

/** The map of a file in GNU tar's old format, which continues in blocks after the header. */
export async function oldGnuMap(source: ByteSource, header: Buffer, bytesMax: number): Promise<SparseMap> {
  const numbers: number[] = [];
  const realSize = decodeNumber(header.subarray(OLD.realSizeAt, OLD.realSizeAt + OLD.number), 'real size');
  let isLast = collectOld(numbers, header.subarray(OLD.headerAt), OLD.inHeader);
  let more = header[OLD.moreAt] !== 0;
  for (let bytes = BLOCK_BYTES; more; bytes += BLOCK_BYTES) {
    if (bytes > bytesMax) throw invalidArchive('the map of a sparse file is too long');
    const block = await blockOf(source);
    if (!isLast) isLast = collectOld(numbers, block, OLD.inBlock);
    more = block[OLD_BLOCK_MORE_AT] !== 0;
  }
  return mapOf(realSize, numbers);
}

/** @returns whether the list has ended: unused places are zeros */
function collectOld(numbers: number[], bytes: Buffer, count: number): boolean {
  for (let at = 0; at < count * 2 * OLD.number; at += 2 * OLD.number) {
    const length = bytes.subarray(at + OLD.number, at + 2 * OLD.number);
    if (length[0] === 0) return true;
    numbers.push(decodeNumber(bytes.subarray(at, at + OLD.number), 'offset'), decodeNumber(length, 'length'));
  }
  return false;
}

/**
 * The map of a file in one of GNU tar's three pax formats: 0.0 and 0.1 have it in the extended header, 1.0
 * before the content. Null when the header describes no sparse file.
 * @throws CodedError image-invalid
 */
export async function paxMap(source: ByteSource, pax: PaxRecords, bytesMax: number): Promise<ReadMap | null> {
  const get = (key: string) => pax.get(PAX_SPARSE + key);
  const version = `${get('major') ?? 0}.${get('minor') ?? 0}`;
  if (version === '1.0') {
    const numbers = await numbersInBody(source, bytesMax);
    return { map: mapOf(sizeOf(pax, 'realsize'), numbers.list), mapBytes: numbers.bytes };
  }
  if (version !== '0.0') throw invalidArchive(`sparse files of version ${shown(version)} are not supported`);
  const joined = get('map') ?? zipped(get('offset'), get('numbytes'));
  if (joined === undefined && get('size') === undefined) return null;
  const list = (joined ?? '').split(',').filter((text) => text !== '');
  return { map: mapOf(sizeOf(pax, 'size'), list.map(decimal)), mapBytes: 0 };
}

/** Only GNU.sparse.size or .realsize: a file without a size is malformed. */
function sizeOf(pax: PaxRecords, key: string): number {
  const size = paxNumber(pax, PAX_SPARSE + key);
  if (size === undefined) throw invalidArchive('a sparse file has no size');
  return size;
}

/** Version 0.0 has two records for each region. */
function zipped(offsets: string | undefined, lengths: string | undefined): string | undefined {
  if (offsets === undefined && lengths === undefined) return undefined;
  const all = [offsets ?? '', lengths ?? ''].map((text) => text.split(','));
  const [starts = [], ends = []] = all;
  if (starts.length !== ends.length) throw invalidArchive('the map of a sparse file is malformed');
  return starts.map((start, at) => `${start},${ends[at]}`).join(',');
}

/** Decimal numbers on lines of their own: how many regions, then offset and length of each. */
async function numbersInBody(source: ByteSource, bytesMax: number) {
  const list: number[] = [];
  let line = '';
  let wanted = 1;
  let bytes = 0;
  while (list.length < wanted) {
    const isTooLong = bytes >= bytesMax || line.length > DIGITS_MAX;
    if (isTooLong) throw invalidArchive('the map of a sparse file is too long');
    const lines = (line + (await blockOf(source)).toString('latin1')).split('\n');
    bytes += BLOCK_BYTES;
    line = lines.pop()!;
    for (const text of lines) {
      if (list.length === wanted) break;
      list.push(decimal(text));
      if (list.length === 1) wanted = 1 + 2 * list[0]!;
    }
  }
  return { list: list.slice(1), bytes };
}

/** The whole content of a small file: that of its regions, and zeros in between. */
export function expand(content: Buffer, map: SparseMap | undefined): Buffer {
  if (!map) return content;
  const whole = Buffer.alloc(map.realSize);
  let at = 0;
  for (const [offset, length] of map.regions) {
    content.copy(whole, offset, at, at + length);
    at += length;
  }
  return whole;
}

async function blockOf(source: ByteSource): Promise<Buffer> {
  const block = await source.take(BLOCK_BYTES);
  if (!block) throw invalidArchive('it ends early');
  return block;
}

function decimal(text: string): number {
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalidArchive(`the map of a sparse file has the number ${shown(text)}`);
  }
  return value;
}

function mapOf(realSize: number, numbers: readonly number[]): SparseMap {
  const regions: Region[] = [];
  let end = 0;
  if (numbers.length % 2 !== 0) throw invalidArchive('the map of a sparse file is malformed');
  for (let at = 0; at < numbers.length; at += 2) {
    const [offset, length] = [numbers[at]!, numbers[at + 1]!];
    if (offset < end || offset + length > realSize) {
      throw invalidArchive(`the map of a sparse file has the region ${offset}+${length}`);
    }
    end = offset + length;
    if (length > 0) regions.push([offset, length]);
  }
  return { realSize, regions };
}
