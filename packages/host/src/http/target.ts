import { isUtf8 } from 'node:buffer';
import { HOST, hexValue, LOCATION, latin1, TARGET } from './bytes.ts';

/** The parts of a request target. Texts have one character per byte (latin1), still percent-encoded. */
export interface Target {
  /** Begins with `/`; empty for an absolute target without a path; `*` for `OPTIONS *`. */
  readonly path: string;
  /** Without its `?`; empty if there is no query. */
  readonly query: string;
  /** `http://host` of an absolute target, otherwise empty. */
  readonly origin: string;
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;
const EQUALS = 0x3d;

/** Pairs of a query that are looked at: no request uses more than a few. */
const QUERY_PAIRS_MAX = 64;

/**
 * Splits the target at `start`..`end`.
 * @returns undefined if it is neither a path nor an absolute http(s) URL, or has a bad `%` in its path
 */
export function readTarget(bytes: Buffer, start: number, end: number): Target | undefined {
  if (bytes[start] === SLASH) return readPath(bytes, start, end, '');
  return readAbsolute(bytes, start, end);
}

/** `OPTIONS *`, the only target that is not a path. */
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
    // An encoded host has no meaning on a Unix socket, and a malformed one must be refused.
    if (HOST[bytes[at]!] === 0 || bytes[at] === PERCENT) return undefined;
    at++;
  }
  return readPath(bytes, at, end, latin1(bytes, start, at));
}

/**
 * The path without empty, `.` and `..` segments; a final slash stays. A clean path is returned as it is.
 * Works on the encoded path: `%2e%2e` is an ordinary name.
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

/** Where to redirect an unclean target: its clean path with the same origin and query, in ASCII only. */
export function redirectLocation(target: Target, clean: string): string {
  const query = target.query === '' ? '' : `?${target.query}`;
  // cleanPath never returns a path that clients would take for a host (`//x`).
  return encodeBytes(`${target.origin}${clean}${query}`);
}

const HEX = Buffer.from('0123456789ABCDEF');

/** Percent-encodes all bytes that may not stand in a URL. */
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

/** A lone surrogate: no stored text contains one, so a name that ends in it equals none. */
const NOT_UTF8 = '\udfff';

/** Percent-decodes a path segment once, as UTF-8. Bytes that are not UTF-8 give a text that equals no key. */
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
 * The first value of a query parameter, decoded; undefined if it is missing. Malformed pairs, and pairs after
 * the first `QUERY_PAIRS_MAX`, do not count.
 * @param name ASCII letters only
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

/** Where the value begins in the pair at `start`..`end`; -1 if it has another name. Stops at a difference. */
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
