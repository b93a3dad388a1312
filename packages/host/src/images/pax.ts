import { invalidArchive, shown } from './archive-error.ts';

/** The records of an extended header: keys and values as latin1 texts, one character per byte. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Extended attributes, as star and GNU tar write them. */
export const PAX_XATTR = 'SCHILY.xattr.';

/** GNU tar's sparse files, which change name, size and content of an entry. */
const PAX_SPARSE = 'GNU.sparse.';

/** Keys that describe one entry. A global header may not set them, because tools treat that differently. */
const OF_ONE_ENTRY = ['path', 'linkpath', 'size', 'uid', 'gid', PAX_XATTR, PAX_SPARSE];

/**
 * Parses the body of an extended header: `LENGTH KEY=VALUE\n`, repeated.
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
    const record = body.toString('latin1', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals <= 0) throw invalidArchive('an extended header is malformed');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  for (const key of records.keys()) {
    if (key.startsWith(PAX_SPARSE)) throw invalidArchive('sparse files are not supported');
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

/** A number of 0 or more; undefined when it is not given. @throws CodedError image-invalid */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = records.get(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw invalidArchive(`an extended header has the ${key} ${shown(text)}`);
  }
  return value;
}
