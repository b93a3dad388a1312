import { mutateBytes, replaced, TELLING_NUMBERS } from './mutate.ts';
import type { Random } from './random.ts';

/** The words of one HTTP API. */
export interface Words {
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly queries: readonly string[];
  /** Header lines. */
  readonly headers: readonly string[];
  readonly bodies: readonly string[];
}

interface Request {
  method: string;
  target: string;
  version: string;
  headers: string[];
  body: string;
}

const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.9',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/1',
];
/** Header lines that decide where a request ends. */
const FRAMING = [
  ...[
    'Content-Length: 0',
    'Content-Length: 5',
    'Content-Length: 500',
    'Content-Length: +3',
    'Content-Length: 3, 3',
  ],
  ...[
    'Content-Length:3',
    'Content-Length : 3',
    'content-length: 0x3',
    'Content-Length: 3\r\n 3',
    'Content_Length: 3',
  ],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: Chunked', 'Transfer-Encoding: gzip, chunked'],
  ...['Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding:\x0bchunked'],
  ...[
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: x',
    ' Transfer-Encoding: chunked',
    'Expect: 100-continue',
  ],
];
const LINE_ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\n\r', '\r\r\n'];

/** Makes a request out of words. */
export function makeRequest(random: Random, words: Words): Buffer {
  const request: Request = {
    method: random.pick(words.methods),
    target: random.pick(words.paths) + (random.percent(30) ? `?${random.pick(words.queries)}` : ''),
    version: 'HTTP/1.1',
    headers: ['Host: lxd', ...(random.percent(40) ? [random.pick(words.headers)] : [])],
    body: random.percent(50) ? random.pick(words.bodies) : '',
  };
  frame(request, random);
  return bytesOf(request, '\r\n');
}

/** Changes requests: their words, their lines, their bytes, or how many there are. */
export function mutateRequests(bytes: Buffer, random: Random, other: Buffer, words: Words): Buffer {
  const kind = random.below(10);
  if (kind < 2) return mutateBytes(bytes, random, other);
  if (kind < 3) return Buffer.concat([bytes, other]);
  const request = takeApart(bytes);
  if (request === undefined) return mutateBytes(bytes, random, other);
  for (let count = 1 + random.short(4); count > 0; count--) random.pick(CHANGES)(request, random, words);
  if (random.percent(60)) frame(request, random);
  return bytesOf(request, random.percent(90) ? '\r\n' : random.pick(LINE_ENDS));
}

type Change = (request: Request, random: Random, words: Words) => void;

const CHANGES: readonly Change[] = [
  (request, random, { methods }) => {
    request.method = random.pick(methods);
  },
  (request, random, { paths }) => {
    request.target = random.pick(paths);
  },
  (request, random, { queries }) => {
    const joint = request.target.includes('?') ? '&' : '?';
    request.target += `${joint}${random.pick(queries)}`;
  },
  (request, random) => {
    request.target = mutatedText(request.target, random).replaceAll(/[ \r\n]/g, '');
  },
  (request, random) => {
    request.version = random.pick(VERSIONS);
  },
  (request, random, { headers }) => {
    request.headers.splice(random.below(request.headers.length + 1), 0, random.pick(headers));
  },
  (request, random) => {
    request.headers.splice(random.below(request.headers.length + 1), 0, random.pick(FRAMING));
  },
  (request, random) => {
    request.headers.splice(random.below(request.headers.length + 1), 1);
  },
  (request, random) => {
    const at = random.below(request.headers.length);
    request.headers[at] = mutatedText(request.headers[at] ?? '', random);
  },
  (request, random, { bodies }) => {
    request.body = random.pick(bodies);
  },
  (request, random) => {
    request.body = mutatedJson(request.body, random);
  },
];

/** Announces the body correctly: by its length, or in chunks. */
function frame(request: Request, random: Random): void {
  request.headers = request.headers.filter((line) => !/^\s*(content-length|transfer-encoding)/i.test(line));
  if (request.body === '') return;
  const chunked = random.percent(20) && !/^[0-9a-f]+\r\n/i.test(request.body);
  request.headers.push(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${request.body.length}`);
  if (chunked) request.body = chunks(request.body, random);
}

function chunks(body: string, random: Random): string {
  const at = random.below(body.length + 1);
  const extension = random.percent(20) ? ';x="y"' : '';
  const chunk = (part: string) =>
    part === '' ? '' : `${part.length.toString(16)}${extension}\r\n${part}\r\n`;
  return `${chunk(body.slice(0, at))}${chunk(body.slice(at))}0\r\n${random.percent(10) ? 'X: y\r\n' : ''}\r\n`;
}

/** Parses the first request; all text after its head is its body. */
function takeApart(bytes: Buffer): Request | undefined {
  const text = bytes.toString('latin1');
  const match = /^([^ \r\n]*) ([^ \r\n]*) ([^\r\n]*)\r\n/.exec(text);
  const end = text.indexOf('\r\n\r\n');
  if (match === null || end < 0) return undefined;
  const [line, method = '', target = '', version = ''] = match;
  const headers = end < line.length ? [] : text.slice(line.length, end).split('\r\n');
  return { method, target, version, headers, body: text.slice(end + '\r\n\r\n'.length) };
}

function bytesOf({ method, target, version, headers, body }: Request, lineEnd: string): Buffer {
  const lines = [`${method} ${target} ${version}`, ...headers, '', ''];
  return Buffer.from(lines.join(lineEnd) + body, 'latin1');
}

function mutatedText(text: string, random: Random): string {
  const bytes = Buffer.from(text, 'latin1');
  return mutateBytes(bytes, random, bytes).toString('latin1');
}

/** JSON values that a handler may not expect. */
const JSON_VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '""',
  '[]',
  '{}',
  '[[]]',
  '"\\u0000"',
  '"\\ud800"',
  '{"a":{}}',
];
const JSON_PIECE = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\]/g;

/** Replaces one value, name or number. */
function mutatedJson(body: string, random: Random): string {
  const pieces = [...body.matchAll(JSON_PIECE)];
  if (pieces.length === 0) return mutatedText(body, random);
  const { 0: old, index } = random.pick(pieces);
  const other = random.pick(pieces)[0];
  const value = random.pick([
    ...[random.pick(JSON_VALUES), other, random.pick(TELLING_NUMBERS), `"${random.pick(TELLING_NUMBERS)}"`],
    ...[`{${old}:${other}}`, `[${old},${other}]`, `"__proto__"`, mutatedText(old, random)],
  ]);
  return replaced(Buffer.from(body, 'latin1'), index, old.length, Buffer.from(value, 'latin1')).toString(
    'latin1',
  );
}
