import { namesEtag } from '../../core/etags.ts';
import { parseRange } from '../../guest/byte-ranges.ts';
import { readState } from '../../guest/state-body.ts';
import { KEPT_BODY_BYTES_MAX } from '../connection-limits.ts';
import { ownAnswer } from '../own-answers.ts';
import { RequestBody } from '../request-body.ts';
import { parseHead, type RequestHead } from '../request-head.ts';
import { queryValue } from '../target.ts';
import { WorkCounter } from './work-counter.ts';

// A separate program, since a test runner would run its own code and change this one.

/** As many bytes as fit into a head. */
const FULL = 64_000;

const filled = (piece: string, bytes: number) => piece.repeat(Math.floor(bytes / piece.length));
const bytesOf = (target: string, fields: string) =>
  Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`, 'latin1');

function headOf(target: string, fields = ''): RequestHead {
  const result = parseHead(bytesOf(target, fields), 0);
  if (result.kind !== 'head') throw new Error(result.kind);
  return result.head;
}

const parse = (target: string, fields = '') => {
  const bytes = bytesOf(target, fields);
  return () => parseHead(bytes, 0);
};
const answer = (target: string) => {
  const head = headOf(target);
  return () => ownAnswer(head);
};
const body = (chunks: string) => {
  const head = headOf('/', 'Transfer-Encoding: chunked\r\n');
  const bytes = Buffer.from(chunks);
  return () => new RequestBody(head, true, FULL).push(bytes);
};
const state = (text: string) => {
  const bytes = Buffer.from(text);
  return () => readState(bytes);
};
const keys = (bytes: number) =>
  Array.from({ length: bytes / 8 }, (_, at) => `"${(at * 7919).toString(36)}":1`)
    .join()
    .slice(0, bytes);

/** Makes an input of so many bytes. The input may be `parts` times smaller than a head. */
type Worst = readonly [name: string, (bytes: number) => () => unknown, parts?: number];

/** How many times smaller the kept part of a body is. */
const KEPT = FULL / KEPT_BODY_BYTES_MAX;

const WORST: readonly Worst[] = [
  ['a query of encoded names', (n) => () => queryValue(filled('%61&', n), 'wait')],
  ['a query of empty pairs', (n) => () => queryValue(filled('&', n), 'wait')],
  ['a query of names that are nearly right', (n) => () => queryValue(filled('wai&', n), 'wait')],
  ['many headers', (n) => parse('/', filled('a:\r\n', n))],
  ['many headers of a list', (n) => parse('/', filled('accept:a\r\n', n))],
  ['a header that is folded all the time', (n) => parse('/', `accept: a\r\n${filled(' a\r\n', n)}`)],
  ['a list of nothing', (n) => parse('/', `Connection: ${filled(',', n)}\r\n`)],
  ['a list of tokens', (n) => parse('/', `Connection: ${filled('a,', n)}\r\n`)],
  ['a list of tags', (n) => () => namesEtag(filled('"a",', n), '"b"')],
  ['a list of no tags', (n) => () => namesEtag(filled(',', n), '"b"')],
  ['tags that are nearly right', (n) => () => namesEtag(filled('"b"x,*x,', n), '"b"')],
  ['a list of ranges', (n) => () => parseRange(`bytes=${filled('0-0,', n)}`, FULL)],
  ['a list of no ranges', (n) => () => parseRange(`bytes=${filled(',', n)}`, FULL)],
  ['a path that is not clean', (n) => answer(`/${filled('../', n)}`)],
  ['a path that is encoded where it is sent to', (n) => answer(`//${filled('\xff', n)}`)],
  ['a query that is encoded where it is sent to', (n) => answer(`//?${filled('"', n)}`)],
  ['chunks of one byte', (n) => body(filled('1\r\nx\r\n', n))],
  ['chunks with extensions', (n) => body(filled(`1;${'e'.repeat(200)}\r\nx\r\n`, n))],
  ['a body of brackets', (n) => state('['.repeat(n)), KEPT],
  ['a body of objects', (n) => state(`${'{"a":'.repeat(n / 8)}1${'}'.repeat(n / 8)}`), KEPT],
  ['a body of many keys', (n) => state(`{${keys(n)}}`), KEPT],
  ['a body of one key', (n) => state(`{${filled('"state":null,', n)}"a":1}`), KEPT],
];

const counter = new WorkCounter(new URL('../..', import.meta.url).href);
await counter.begin();

/** Steps per byte, for half of the input and for all of it. */
async function stepsPerByte([name, make, parts = 1]: Worst): Promise<[string, number, number]> {
  const [half, full] = [FULL / parts / 2, FULL / parts];
  return [name, (await counter.count(make(half))) / half, (await counter.count(make(full))) / full];
}

const measured: [string, number, number][] = [];
for (const worst of WORST) measured.push(await stepsPerByte(worst));
console.log(JSON.stringify(measured));
