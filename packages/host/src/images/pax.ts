import { invalidArchive, shown } from './archive-error.ts';

/** The records of an extended header: keys and values as latin1 texts, one character per byte. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Extended attributes, as star and GNU tar write them. */
export const PAX_XATTR = 'SCHILY.xattr.';

/** GNU tar's sparse files, which change name, size and content of an entry. */
export const PAX_SPARSE = 'GNU.sparse.';

/** Of these a header has many, in order; they are read as one value with commas. */
const REPEATED = [`${PAX_SPARSE}offset`, `${PAX_SPARSE}numbytes`];

/** Keys that describe one entry: in a global header they make no sense, and tools differ in what they do. */
const OF_ONE_ENTRY = ['path', 'linkpath', 'size', PAX_XATTR, PAX_SPARSE];

/**
 * Parses the body of an extended header: `LENGTH KEY=VALUE\n`, repeated. Values are bytes in any charset
 * (`hdrcharset`), as file names are.
 * @throws CodedError image-invalid
 */
export function parsePax(body: Buffer): PaxRecords {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(' ', at);
    const digits = space < 0 ? '' : body.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^[1-9][0-9]{0,8}$/.test(digits) || end > body.length || end <= space || body[end - 1] !== 0x0a) {
      throw invalidArchive('an extended header is malformed');
    }
    const equals = body.subarray(0, end).indexOf('=', space + 1);
    if (equals <= space + 1) throw invalidArchive('an extended header is malformed');
    // Decoded on its own: a part of a longer text would keep all of that in memory.
    const key = body.toString('latin1', space + 1, equals);
    const value = body.toString('latin1', equals + 1, end - 1);
    const before = REPEATED.includes(key) ? records.get(key) : undefined;
    records.set(key, before === undefined ? value : `${before},${value}`);
    at = end;
  }
  return records;
}

/** Checks an extended header that applies to all entries after it. @throws CodedError image-invalid */
export function checkGlobalPax(records: PaxRecords): void {
  for (const key of records.keys()) {
    if (OF_ONE_ENTRY.some((prefix) => key === prefix || (prefix.endsWith('.') && key.startsWith(prefix)))) {
      throw invalidArchive(`a global extended header sets ${shown(key)}`);
    }
  }
}

/** A text; undefined when it is not given or empty, which stands for the header's own. */
export function paxText(records: PaxRecords, key: string): string | undefined {
  return records.get(key) || undefined;
}

/** A number of 0 or more; undefined when it is not given or empty. @throws CodedError image-invalid */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = paxText(records, key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalidArchive(`an extended header has the ${key} ${shown(text)}`);
  }
  return value;
}
