import { COLON, CR, HOST, LF, latin1, SPACE, TAB, TOKEN, VALUE } from './bytes.ts';
import { BODY_BYTES_MAX, FOLDED_LINES_MAX, HEAD_BYTES_MAX } from './connection-limits.ts';
import { type FieldName, fieldAt, type HeadFields, hasToken, noFields } from './head-fields.ts';
import type { HttpFailure } from './http-errors.ts';
import { ASTERISK, readTarget, type Target } from './target.ts';

/** A request without its body. */
export interface RequestHead {
  readonly method: string;
  readonly target: Target;
  /** 0 for HTTP/1.0; 1 for HTTP/1.1 and any later 1.x. */
  readonly minor: 0 | 1;
  readonly fields: Readonly<HeadFields>;
  /** Whether the client wants to keep the connection. The answer may still close it. */
  readonly keepAlive: boolean;
  /** Bytes; 0 for a request without a body, and for a chunked body. */
  readonly contentLength: number;
  readonly chunked: boolean;
  readonly expect: 'nothing' | 'continue' | 'unknown';
}

export type HeadResult =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'head'; readonly head: RequestHead; readonly next: number }
  | { readonly kind: 'error'; readonly error: HttpFailure };

export interface HeadLimits {
  readonly headBytes: number;
  readonly bodyBytes: number;
}

const VERSION_PREFIX = Buffer.from(' HTTP/');
const DOT = 0x2e;
/** Lists may come in several headers. */
const LISTS: ReadonlySet<FieldName> = new Set(['accept', 'connection']);
const INCOMPLETE: HeadResult = { kind: 'incomplete' };
const DEFAULT_HEAD_LIMITS: HeadLimits = { headBytes: HEAD_BYTES_MAX, bodyBytes: BODY_BYTES_MAX };

/**
 * Reads the request head that begins at `start`, in one pass. It keeps no state and touches nothing but
 * `buffer`.
 *
 * The result does not depend on the pieces in which the bytes come: bytes that come later never change a
 * result other than `incomplete`. `next` is where the body, or the next request, begins.
 */
export function parseHead(buffer: Buffer, start: number, limits = DEFAULT_HEAD_LIMITS): HeadResult {
  const draft = new Draft(buffer, start, Math.min(buffer.length, start + limits.headBytes));
  const outcome = draft.readRequestLine() ?? draft.readHeaders() ?? draft.finish(limits.bodyBytes);
  if (outcome === 'incomplete') {
    if (buffer.length - start < limits.headBytes) return INCOMPLETE;
    return { kind: 'error', error: 'head-too-large' };
  }
  if (typeof outcome === 'string') return { kind: 'error', error: outcome };
  return { kind: 'head', head: outcome, next: draft.at };
}

type Stop = 'incomplete' | HttpFailure;

/** A head while it is read. Faults of single headers are reported at its end: other errors come first. */
class Draft {
  at: number;
  readonly #bytes: Buffer;
  readonly #end: number;
  #method = '';
  #target: Target = ASTERISK;
  #major = 1;
  #minor = 1;
  readonly #fields: HeadFields = noFields();
  #hosts = 0;
  #lengths = 0;
  #encodings = 0;
  #badName = false;
  #badValue = false;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  /** `METHOD target HTTP/x.y` with single spaces. The line ends in LF or CRLF. */
  readRequestLine(): Stop | undefined {
    const { at: start } = this;
    const bytes = this.#bytes;
    const lineFeed = this.#findLineFeed();
    if (lineFeed < 0) return 'incomplete';
    const end = bytes[lineFeed - 1] === CR && lineFeed > start ? lineFeed - 1 : lineFeed;
    let methodEnd = start;
    while (methodEnd < end && TOKEN[bytes[methodEnd]!] === 1) methodEnd++;
    const targetEnd = end - ' HTTP/1.1'.length;
    if (methodEnd === start || bytes[methodEnd] !== SPACE || targetEnd <= methodEnd) return 'bad-request';
    if (!this.#readVersion(targetEnd)) return 'bad-request';
    this.#method = isGet(bytes, start, methodEnd) ? 'GET' : latin1(bytes, start, methodEnd);
    const target = this.#isAsterisk(methodEnd + 1, targetEnd)
      ? ASTERISK
      : readTarget(bytes, methodEnd + 1, targetEnd);
    if (target === undefined) return 'bad-request';
    this.#target = target;
    this.at = lineFeed + 1;
    return undefined;
  }

  #findLineFeed(): number {
    const found = this.#bytes.indexOf(LF, this.at);
    return found < this.#end ? found : -1;
  }

  #isAsterisk(start: number, end: number): boolean {
    return end - start === 1 && this.#bytes[start] === 0x2a && this.#method === 'OPTIONS';
  }

  #readVersion(at: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < VERSION_PREFIX.length; i++) if (bytes[at + i] !== VERSION_PREFIX[i]) return false;
    if (bytes[at + 7] !== DOT) return false;
    this.#major = bytes[at + 6]! - 0x30;
    this.#minor = bytes[at + 8]! - 0x30;
    return this.#major >= 0 && this.#major <= 9 && this.#minor >= 0 && this.#minor <= 9;
  }

  /** All header lines and the empty line that ends them. */
  readHeaders(): Stop | undefined {
    const bytes = this.#bytes;
    const end = this.#end;
    // The first header line cannot continue another one.
    if (this.at < end && isBlank(bytes[this.at]!)) return 'bad-request';
    while (this.at < end) {
      const byte = bytes[this.at]!;
      if (byte === LF) {
        this.at += 1;
        return undefined;
      }
      if (byte === CR) {
        if (this.at + 1 >= end) return 'incomplete';
        if (bytes[this.at + 1] !== LF) return 'bad-request';
        this.at += 2;
        return undefined;
      }
      const stop = this.#readHeader();
      if (stop !== undefined) return stop;
    }
    return 'incomplete';
  }

  #readHeader(): Stop | undefined {
    const { at: start } = this;
    const bytes = this.#bytes;
    const end = this.#end;
    let colon = start;
    let named = true;
    while (colon < end && bytes[colon] !== COLON) {
      if (bytes[colon] === LF) return 'bad-request';
      if (TOKEN[bytes[colon]!] === 0) named = false;
      colon++;
    }
    if (colon >= end) return 'incomplete';
    if (!named || colon === start) this.#badName = true;
    this.at = colon + 1;
    const field = fieldAt(bytes, start, colon);
    const value = this.#readValue(field !== undefined);
    if (value === undefined) return 'incomplete';
    if (field !== undefined) this.#keep(field, value);
    return undefined;
  }

  /**
   * The value up to the end of its line; obsolete folded lines are joined by one space. Undefined if the
   * value is not complete yet.
   */
  #readValue(wanted: boolean): string | undefined {
    let value = this.#readValueLine(wanted);
    for (let lines = 1; value !== undefined; lines++) {
      if (this.at >= this.#end) return undefined;
      if (!isBlank(this.#bytes[this.at]!)) return value;
      if (lines > FOLDED_LINES_MAX) this.#badValue = true;
      const more = this.#readValueLine(wanted && lines <= FOLDED_LINES_MAX);
      value = more === undefined ? undefined : `${value} ${more}`;
    }
    return undefined;
  }

  #readValueLine(wanted: boolean): string | undefined {
    const bytes = this.#bytes;
    const end = this.#end;
    let from = this.at;
    while (from < end && isBlank(bytes[from]!)) from++;
    let at = from;
    let bad = false;
    while (at < end && bytes[at] !== LF) {
      if (VALUE[bytes[at]!] === 0 && !(bytes[at] === CR && bytes[at + 1] === LF)) bad = true;
      at++;
    }
    if (at >= end) return undefined;
    if (bad) this.#badValue = true;
    this.at = at + 1;
    if (!wanted) return '';
    let to = at > from && bytes[at - 1] === CR ? at - 1 : at;
    while (to > from && isBlank(bytes[to - 1]!)) to--;
    return latin1(bytes, from, to);
  }

  #keep(field: FieldName, value: string): void {
    if (field === 'host') this.#hosts++;
    else if (field === 'contentLength') this.#lengths++;
    else if (field === 'transferEncoding') this.#encodings++;
    const earlier = this.#fields[field];
    // Of all other headers the first one counts.
    if (earlier === undefined) this.#fields[field] = value;
    else if (LISTS.has(field)) this.#fields[field] = `${earlier}, ${value}`;
  }

  /** Makes the checks that need the whole head, in the same order as LXD's server. */
  finish(bodyBytes: number): HttpFailure | RequestHead {
    const fields = this.#fields;
    if (this.#hosts > 1) return 'bad-request';
    const http11 = this.#minor >= 1;
    // HTTP/1.0 has no transfer encoding: the header is ignored, and the connection ends after the answer.
    const chunked = http11 && this.#encodings > 0;
    if (chunked && this.#lengths > 0) return 'bad-request';
    if (chunked && (this.#encodings > 1 || fields.transferEncoding!.toLowerCase() !== 'chunked')) {
      return 'transfer-encoding';
    }
    if (this.#lengths > 0 && (this.#lengths > 1 || !/^\d{1,18}$/.test(fields.contentLength!))) {
      return 'bad-request';
    }
    const contentLength = this.#lengths > 0 ? Number(fields.contentLength) : 0;
    const fault = this.#firstFault(http11);
    if (fault !== undefined) return fault;
    if (contentLength > bodyBytes) return 'body-too-large';
    return this.#toHead(http11, chunked, contentLength);
  }

  #firstFault(http11: boolean): HttpFailure | undefined {
    const { host } = this.#fields;
    if (this.#major !== 1) return 'http-version';
    if (host === undefined && http11) return 'missing-host';
    if (host !== undefined && !isHost(host)) return 'malformed-host';
    if (this.#badName) return 'header-name';
    if (this.#badValue) return 'header-value';
    return undefined;
  }

  #toHead(http11: boolean, chunked: boolean, contentLength: number): RequestHead {
    const fields = this.#fields;
    return {
      method: this.#method,
      target: this.#target,
      minor: http11 ? 1 : 0,
      fields,
      keepAlive: http11
        ? !hasToken(fields.connection, 'close')
        : this.#encodings === 0 && hasToken(fields.connection, 'keep-alive'),
      contentLength,
      chunked,
      expect: expectation(fields.expect, http11),
    };
  }
}

/** Nearly every request is a GET, and needs no new string for its method. */
function isGet(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54;
}

function expectation(value: string | undefined, http11: boolean): RequestHead['expect'] {
  if (value === undefined || value === '') return 'nothing';
  if (value.toLowerCase() !== '100-continue') return 'unknown';
  return http11 ? 'continue' : 'nothing';
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function isHost(host: string): boolean {
  for (let i = 0; i < host.length; i++) if (HOST[host.charCodeAt(i)] !== 1) return false;
  return true;
}
