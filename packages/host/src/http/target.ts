import { isUtf8 } from 'node:buffer';
import { HOST, hexValue, LOCATION, latin1, TARGET } from './bytes.ts';

/** A request target taken apart. Texts hold one character per byte (latin1), still percent-encoded. */
export interface Target {
  /** Begins with `/`; empty for an absolute target without path; `*` for `OPTIONS *`. */
  readonly path: string;
  /** Without its `?`; empty if there is none. */
  readonly query: string;
  /** `http://host` of an absolute target, else empty. */
  readonly origin: string;
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;
const EQUALS = 0x3d;

/** Pairs of a query that are looked at: no request has a meaning for more than a few. */
const QUERY_PAIRS_MAX = 64;

/**
 * Takes apart the target at `start`..`end`.
 * @returns undefined if it is neither a path nor an absolute URL of http(s), or holds a bad `%` in its path
 */
export function readTarget(bytes: Buffer, start: number, end: number): Target | undefined {
  if (bytes[start] === SLASH) return readPath(bytes, start, end, '');
  return readAbsolute(bytes, start, end);
}

/** `OPTIONS *`: the one target that is no path. */
export const ASTERISK: Target = { path: '*', query: '', origin: '' };

function readPath(bytes: Buffer, start: number, end: number, origin: string): Target | undefined {
  let pathEnd = end;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (TARGET[byte] === 0) return undefined;
    if (pathEnd !== end) continue;
    if (byte === QUESTION_MARK) pathEnd = at;
    else if (byte === PERCENT && !isEscape(bytes, at, end)) return undefined;
  }
  const query = pathEnd < end ? latin1(bytes, pathEnd + 1, end) : '';
  return { path: latin1(bytes, start, pathEnd), query, origin };
}

function isEscape(bytes: Buffer, at: number, end: number): boolean {
  return at + 2 < end && hexValue(bytes[at + 1]!) >= 0 && hexValue(bytes[at + 2]!) >= 0;
}

function readAbsolute(bytes: Buffer, start: number, end: number): Target | undefined {
  const scheme = latin1(bytes, start, Math.min(end, start + 8)).toLowerCase();
  const schemeLength = scheme === 'https://' ? 8 : scheme.startsWith('http://') ? 7 : 0;
  if (schemeLength === 0) return undefined;
  let at = start + schemeLength;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION_MARK) {
    // An encoded host has no meaning on a Unix socket, and a bad one must not pass.
    if (HOST[bytes[at]!] === 0 || bytes[at] === PERCENT) return undefined;
    at++;
  }
  return readPath(bytes, at, end, latin1(bytes, start, at));
}

/**
 * The path without empty, `.` and `..` segments, its closing slash kept; the same string if it is clean.
 * Works on the encoded path: `%2e%2e` is a name like any other.
 */
export function cleanPath(path: string): string {
  if (isClean(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

function isClean(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  return !path.includes('//') && !/\/\.\.?(\/|$)/.test(path);
}

/** Where an unclean target is sent to: its clean path, query and origin kept, in ASCII only. */
export function redirectLocation(target: Target, clean: string): string {
  const query = target.query === '' ? '' : `?${target.query}`;
  // A path that clients would take for a host (`//x`) cannot come out of cleanPath.
  return encodeBytes(`${target.origin}${clean}${query}`);
}

const HEX = Buffer.from('0123456789ABCDEF');

/** Percent-encodes what may not stand in a URL. */
function encodeBytes(text: string): string {
  const bytes = Buffer.allocUnsafe(3 * text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at);
    if (LOCATION[byte] === 1) bytes[length++] = byte;
    else {
      bytes[length++] = PERCENT;
      bytes[length++] = HEX[byte >> 4]!;
      bytes[length++] = HEX[byte & 0xf]!;
    }
  }
  return latin1(bytes, 0, length);
}

/** A lone surrogate: no stored text holds one, so a name that ends in it is equal to none. */
const NOT_UTF8 = '\udfff';

/** Percent-decodes a path segment once, as UTF-8. What is no UTF-8 becomes a text that is equal to no key. */
export function decodeSegment(segment: string): string {
  if (/^[!-$&-~]*$/.test(segment)) return segment;
  const bytes = Buffer.allocUnsafe(segment.length);
  let length = 0;
  for (let at = 0; at < segment.length; at++) {
    const code = segment.charCodeAt(at);
    if (code !== PERCENT) {
      bytes[length++] = code;
      continue;
    }
    bytes[length++] = (hexValue(segment.charCodeAt(at + 1)) << 4) | hexValue(segment.charCodeAt(at + 2));
    at += 2;
  }
  const decoded = bytes.subarray(0, length);
  return isUtf8(decoded) ? decoded.toString() : decoded.toString() + NOT_UTF8;
}

/**
 * The first value of a query parameter, decoded; undefined if there is none. Pairs that are malformed, or behind the
 * first `QUERY_PAIRS_MAX`, do not count.
 * @param name letters of ASCII
 */
export function queryValue(query: string, name: string): string | undefined {
  if (query === '') return undefined;
  let start = 0;
  for (let pairs = 0; pairs < QUERY_PAIRS_MAX && start < query.length; pairs++) {
    const found = query.indexOf('&', start);
    const end = found < 0 ? query.length : found;
    const valueAt = behindName(query, start, end, name);
    if (valueAt >= 0 && isPair(query.slice(start, end))) return decodeQuery(query.slice(valueAt, end));
    start = end + 1;
  }
  return undefined;
}

/** Where the value begins in the pair at `start`..`end`; -1 if its name is another. Looks no further than it must. */
function behindName(query: string, start: number, end: number, name: string): number {
  let at = start;
  for (let i = 0; i < name.length; i++) {
    if (at >= end) return -1;
    let code = query.charCodeAt(at++);
    if (code === PERCENT) {
      code = (hexValue(query.charCodeAt(at)) << 4) | hexValue(query.charCodeAt(at + 1));
      at += 2;
    }
    if (code !== name.charCodeAt(i)) return -1;
  }
  if (at >= end) return end;
  return query.charCodeAt(at) === EQUALS ? at + 1 : -1;
}

function isPair(text: string): boolean {
  return !text.includes(';') && !/%(?![0-9A-Fa-f]{2})/.test(text);
}

function decodeQuery(text: string): string {
  return decodeSegment(text.replaceAll('+', ' '));
}
