import { namesEtag } from '../../core/etags.ts';
import { parseRange } from '../../guest/byte-ranges.ts';
import { readState } from '../../guest/state-body.ts';
import { KEPT_BODY_BYTES_MAX } from '../limits.ts';
import { ownAnswer } from '../own-answers.ts';
import { RequestBody } from '../request-body.ts';
import { parseHead, type RequestHead } from '../request-head.ts';
import { queryValue } from '../target.ts';

// A program: a test runner's imports cost more than what is measured.

/** As much as fits into a head. */
const FULL = 64_000;
const ROUNDS = 25;
/** Enough for the compiler to be done with what everything is measured by. */
const PLAIN_ROUNDS = 400;

const filled = (piece: string) => piece.repeat(Math.floor(FULL / piece.length));
const bytesOf = (target: string, fields: string) =>
  Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`, 'latin1');

function headOf(target: string, fields = ''): RequestHead {
  const result = parseHead(bytesOf(target, fields), 0);
  if (result.kind !== 'head') throw new Error(result.kind);
  return result.head;
}

/** The least time that something takes: what a busy machine adds is not its cost. */
function leastMs(work: () => unknown, rounds = ROUNDS): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

const parse = (target: string, fields = '') => {
  const bytes = bytesOf(target, fields);
  return () => parseHead(bytes, 0);
};
const answer = (target: string) => {
  const head = headOf(target);
  return () => ownAnswer(head);
};
const body = (chunk: string) => {
  const head = headOf('/', 'Transfer-Encoding: chunked\r\n');
  const bytes = Buffer.from(filled(chunk));
  return () => new RequestBody(head, true, FULL).push(bytes);
};
const state = (text: string) => {
  const bytes = Buffer.from(text.slice(0, KEPT_BODY_BYTES_MAX));
  return () => readState(bytes);
};
const keys = () => Array.from({ length: 1_500 }, (_, at) => `"${(at * 7919).toString(36)}":1`).join();

const plainMs = leastMs(parse('/', `X: ${filled('a')}\r\n`), PLAIN_ROUNDS);

const WORST: readonly (readonly [string, () => unknown])[] = [
  ['a query of encoded names', () => queryValue(filled('%61&'), 'wait')],
  ['a query of empty pairs', () => queryValue(filled('&'), 'wait')],
  ['a query of names that are nearly right', () => queryValue(filled('wai&'), 'wait')],
  ['many headers', parse('/', filled('a:\r\n'))],
  ['many headers of a list', parse('/', filled('accept:a\r\n'))],
  ['a header that is folded all the time', parse('/', `accept: a\r\n${filled(' a\r\n')}`)],
  ['a list of nothing', parse('/', `Connection: ${filled(',')}\r\n`)],
  ['a list of tokens', parse('/', `Connection: ${filled('a,')}\r\n`)],
  ['a list of tags', () => namesEtag(filled('"a",'), '"b"')],
  ['a list of no tags', () => namesEtag(filled(','), '"b"')],
  ['tags that are nearly right', () => namesEtag(filled('"b"x,*x,'), '"b"')],
  ['a list of ranges', () => parseRange(`bytes=${filled('0-0,')}`, FULL)],
  ['a list of no ranges', () => parseRange(`bytes=${filled(',')}`, FULL)],
  ['a path that is not clean', answer(`/${filled('../')}`)],
  ['a path that is encoded where it is sent to', answer(`//${filled('\xff')}`)],
  ['a query that is encoded where it is sent to', answer(`//?${filled('"')}`)],
  ['chunks of one byte', body('1\r\nx\r\n')],
  ['chunks with extensions', body(`1;${'e'.repeat(200)}\r\nx\r\n`)],
  ['a body of brackets', state('['.repeat(FULL / 2))],
  ['a body of objects', state(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`)],
  ['a body of many keys', state(`{${keys()}}`)],
  ['a body of one key', state(`{${filled('"state":null,').slice(0, 15_000)}"a":1}`)],
];

// How often each has the cost of a plain head.
console.log(JSON.stringify(WORST.map(([name, work]) => [name, leastMs(work) / plainMs])));
