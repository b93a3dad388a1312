import { listHolds } from '../base/lists.ts';

/** The headers that have a meaning for this server; all others are checked and dropped. */
export interface HeadFields {
  accept: string | undefined;
  host: string | undefined;
  connection: string | undefined;
  contentLength: string | undefined;
  transferEncoding: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  origin: string | undefined;
  range: string | undefined;
  ifRange: string | undefined;
  ifModifiedSince: string | undefined;
  ifNoneMatch: string | undefined;
  websocketKey: string | undefined;
  websocketVersion: string | undefined;
}

export type FieldName = keyof HeadFields;

const WIRE_NAMES: Readonly<Record<FieldName, string>> = {
  accept: 'accept',
  host: 'host',
  connection: 'connection',
  contentLength: 'content-length',
  transferEncoding: 'transfer-encoding',
  expect: 'expect',
  upgrade: 'upgrade',
  origin: 'origin',
  range: 'range',
  ifRange: 'if-range',
  ifModifiedSince: 'if-modified-since',
  ifNoneMatch: 'if-none-match',
  websocketKey: 'sec-websocket-key',
  websocketVersion: 'sec-websocket-version',
};

interface Candidate {
  readonly field: FieldName;
  readonly name: string;
}

/** By length, so that an ordinary `User-Agent` costs one comparison. */
const BY_LENGTH: readonly (readonly Candidate[])[] = groupByLength();

/** The field of the header name at `start`..`end`, in any case; undefined for a header that is not needed. */
export function fieldAt(bytes: Buffer, start: number, end: number): FieldName | undefined {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return undefined;
  for (const { field, name } of candidates) if (sameName(bytes, start, name)) return field;
  return undefined;
}

/** Fields of a head without headers. */
export function noFields(): HeadFields {
  return {
    accept: undefined,
    host: undefined,
    connection: undefined,
    contentLength: undefined,
    transferEncoding: undefined,
    expect: undefined,
    upgrade: undefined,
    origin: undefined,
    range: undefined,
    ifRange: undefined,
    ifModifiedSince: undefined,
    ifNoneMatch: undefined,
    websocketKey: undefined,
    websocketVersion: undefined,
  };
}

/** Whether a comma-separated header value contains a token; `token` is in lower case. */
export function hasToken(value: string | undefined, token: string): boolean {
  if (value === undefined) return false;
  return listHolds(value.toLowerCase(), token);
}

function sameName(bytes: Buffer, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    // Names contain only letters and `-`, so setting bit 5 folds the case; `-` has it set already.
    if ((bytes[start + i]! | 0x20) !== name.charCodeAt(i)) return false;
  }
  return true;
}

function groupByLength(): readonly (readonly Candidate[])[] {
  const groups: Candidate[][] = [];
  for (const [field, name] of Object.entries(WIRE_NAMES) as [FieldName, string][]) {
    groups[name.length] ??= [];
    groups[name.length]!.push({ field, name });
  }
  return groups;
}
