import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { GuestView } from '../core/view.ts';
import { sampleView } from '../guest/testing/harness.ts';
import { parseHead } from '../http/request-head.ts';
import { KnownAnswers } from './known-answers.ts';
import { KNOWN_CHARACTERS_MAX } from './lane-limits.ts';

// Thousands of rounds, or many processes, take long on a machine that has other work.
vi.setConfig({ testTimeout: 60_000 });

const LIMITS = { headBytes: 65_536, bodyBytes: 1024 };
const CALLER = { kind: 'instance', instanceId: 1, runNumber: 1 } as const;

let view: GuestView | undefined;
let answers: KnownAnswers;
let asked: number;

beforeEach(() => {
  view = sampleView();
  asked = 0;
  answers = new KnownAnswers(CALLER, () => {
    asked++;
    return view;
  });
});

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: lxd\r\n${fields}\r\n`;

function find(text: string, start = 0, end = text.length) {
  return answers.find(Buffer.from(text, 'latin1'), start, end, LIMITS);
}

describe('a request that was seen before', () => {
  it('is not decided again, until the answers are cleared', () => {
    const first = find(get('/1.0/config/user.foo'));
    expect(first?.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nbar$/);
    for (let round = 0; round < 10; round++) find(get('/1.0/config/user.foo'));
    // Once, and perhaps once more for the next second's date.
    expect(asked).toBeLessThanOrEqual(2);
    view = sampleView({ config: new Map([['user.foo', 'new']]) });
    answers.clear();
    expect(find(get('/1.0/config/user.foo'))?.text).toMatch(/\r\n\r\nnew$/);
  });

  it('is found between others, with its own length', () => {
    const [one, two] = [get('/1.0/config/user.foo'), get('/')];
    const all = one + two + one + two.slice(0, 10);
    for (let round = 0; round < 2; round++) {
      expect(find(all)?.length).toBe(one.length);
      expect(find(all, one.length)?.length).toBe(two.length);
      expect(find(all, one.length + two.length)?.length).toBe(one.length);
      expect(find(all, one.length * 2 + two.length)).toBeUndefined();
    }
  });

  it('is not completed by bytes that are left in the buffer after the end', () => {
    const request = get('/1.0/config/user.foo');
    expect(find(request)).toBeDefined();
    for (let end = 0; end < request.length; end++)
      expect([end, find(request, 0, end)]).toEqual([end, undefined]);
  });
});

it.each([
  ['a body', 'PATCH /1.0 HTTP/1.1\r\nHost: lxd\r\nContent-Length: 2\r\n\r\n{}'],
  ['a body of no use', get('/1.0', 'Content-Length: 1\r\n')],
  ['events', get('/1.0/events')],
  ['an image', get(`/1.0/images/${'a'.repeat(64)}/export`)],
  ['an expectation', get('/1.0', 'Expect: 100-continue\r\n')],
  ['no HTTP', 'hello\r\n\r\n'],
  ['two hosts', get('/1.0', 'Host: other\r\n')],
])('%s is not for the lane', (_name, request) => {
  expect(find(request)).toBeUndefined();
});

it('remembers no more than its limit, for any requests', () => {
  for (let key = 0; key < 2000; key++) find(get(`/1.0/config/user.${key}${'x'.repeat(key % 700)}`));
  expect(answers.characters).toBeLessThanOrEqual(KNOWN_CHARACTERS_MAX);
  expect(answers.characters).toBeGreaterThan(0);
});

describe('the boundary of a request', () => {
  const line = fc.constantFrom('\r\n', '\n', '\r', '');
  const piece = fc.oneof(
    fc.constantFrom(
      'GET ',
      '/1.0',
      '/',
      ' HTTP/1.1',
      ' HTTP/1.0',
      'Host: lxd',
      'Connection: close',
      ' ',
      ':',
    ),
    fc.string({ maxLength: 3 }),
  );
  const bytes = fc
    .array(fc.tuple(piece, line), { maxLength: 12 })
    .map((parts) => parts.flat().join(''))
    .chain((text) => fc.constantFrom(text, get('/1.0') + text, `${text}\r\n\r\n`, text + get('/')));

  it('is where the parser says, also the second time and with other requests after it', () => {
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        const text = Buffer.from(one + other);
        const parsed = parseHead(text, 0, LIMITS);
        for (let round = 0; round < 2; round++) {
          const found = answers.find(text, 0, text.length, LIMITS);
          if (found === undefined) continue;
          expect(parsed.kind).toBe('head');
          if (parsed.kind === 'head') expect([found.length, found.head]).toEqual([parsed.next, parsed.head]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
