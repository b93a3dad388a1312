import { describe, expect, it } from 'vitest';
import { readAnswers } from './answers.ts';
import { caseText, readCase } from './case-file.ts';
import { FIN, frameBytes, OPCODES, readFrames } from './frames.ts';
import { Fuzzer } from './fuzzer.ts';
import { minimise } from './minimise.ts';
import { piecesOf } from './mutate.ts';
import { planOf } from './plan.ts';
import { Random } from './random.ts';
import { readRequests } from './requests.ts';
import { type Case, Finding, type TargetKind } from './target.ts';
import { expectedInput } from './targets/expected-input.ts';
import { makeGuestCase } from './targets/guest.ts';

const sample = (text: string, cuts: number[] = []): Case => ({ bytes: Buffer.from(text, 'latin1'), cuts });

describe('a case', () => {
  it('is the same when it is read back from its file, with all byte values', () => {
    const all = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, at) => at)), Buffer.alloc(5000)]);
    const stored = { target: 'guest', note: 'a: b', cuts: [3, 300], bytes: all } as const;
    expect(readCase(caseText(stored))).toEqual(stored);
  });

  it('is refused when its file is not a case file', () => {
    expect(() => readCase('GET / HTTP/1.1')).toThrow('an empty line');
    expect(() => readCase('target: x\n\n')).toThrow('no target "x"');
  });

  it('is the same for the same seed', () => {
    const make = (seed: string) =>
      makeGuestCase(new Random(seed), [sample('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]);
    expect(make('a')).toEqual(make('a'));
    expect(make('a')).not.toEqual(make('b'));
  });

  it('is cut into pieces that make up the whole case', () => {
    expect(piecesOf(Buffer.from('abcdef'), [2, 4, 99]).map(String)).toEqual(['ab', 'cd', 'ef']);
  });

  it('is reduced to the bytes that show the finding', async () => {
    const smallest = await minimise(
      sample(`${'x'.repeat(200)}bug${'y'.repeat(99)}`, [3]),
      async ({ bytes }) => bytes.includes('bug'),
    );
    expect(smallest).toEqual({ bytes: Buffer.from('bug'), cuts: [] });
  });
});

/** A target with one defect: it fails on a `!`. */
const FRAIL: TargetKind = {
  name: 'guest',
  shortCases: 0,
  open: async () => ({
    run: async ({ bytes }) => {
      if (bytes.includes('!')) throw new Finding('it broke');
      return `${bytes[0]}`;
    },
    [Symbol.asyncDispose]: async () => {},
  }),
  make: (random) => sample(String.fromCharCode(random.below(128)).repeat(9)),
};

describe('a fuzzer', () => {
  it('finds a defect once, and gives the smallest case that shows it', async () => {
    const found: unknown[] = [];
    const options = { seed: '1', corpus: [], onFound: (each: unknown) => found.push(each) };
    await using fuzzer = await Fuzzer.open(FRAIL, options);
    for (let count = 0; count < 2000; count++) await fuzzer.step();
    expect(found).toEqual([
      { message: 'it broke', detail: '', sample: { target: 'guest', note: 'it broke', ...sample('!') } },
    ]);
  });

  it('keeps cases that reach something new', async () => {
    const kept: Case[] = [];
    const options = { seed: '1', corpus: [], onFound: () => {}, onNew: (each: Case) => void kept.push(each) };
    await using fuzzer = await Fuzzer.open(FRAIL, options);
    for (let count = 0; count < 2000; count++) await fuzzer.step();
    expect(kept).toHaveLength(fuzzer.reached);
    expect(new Set(kept.map(({ bytes }) => bytes[0])).size).toBe(kept.length);
  });
});

describe('the reader of requests', () => {
  const post = (headers: string, body = '') => `POST / HTTP/1.1\r\n${headers}\r\n${body}`;
  it.each([
    ['requests behind each other', post('Content-Length: 2\r\n', 'ab') + post(''), 2, 'nothing'],
    ['chunks', post('Transfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\n\r\n') + post(''), 2, 'nothing'],
    ['a body that is not all there', post('Content-Length: 9\r\n', 'ab'), 0, 'incomplete'],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 0\r\n'), 0, 'ambiguous'],
    ['a length and chunks', post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n'), 0, 'ambiguous'],
    ['a folded line', post('X: y\r\n z\r\n'), 0, 'unclear'],
  ])('sees %s', (_what, text, requests, rest) => {
    const framing = readRequests(text);
    expect([framing.requests.length, framing.rest]).toEqual([requests, rest]);
  });
});

describe('the reader of answers', () => {
  it('reads bodies by length, in chunks, and to the end of the connection', () => {
    const text =
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab' +
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' +
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno';
    const { answers } = readAnswers(text, ['GET', 'GET', 'HEAD']);
    expect(answers.map(({ body }) => body)).toEqual(['ab', 'cd', '', 'no']);
  });

  it.each([
    ['a short body', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
    ['no head', 'ab'],
  ])('refuses %s', (_what, text) => expect(() => readAnswers(text, [])).toThrow(Finding));
});

describe('frames', () => {
  it.each([0, 125, 126, 65_535, 65_536])('with %i bytes are read as they were written', (size) => {
    const frame = { first: FIN | OPCODES.binary, masked: true, payload: Buffer.alloc(size, 'x') };
    expect(readFrames(frameBytes(frame)).frames).toEqual([frame]);
  });

  it('make up the input of a process until one of them is malformed', () => {
    const frame = (first: number, text: string, masked = true) =>
      frameBytes({ first, masked, payload: Buffer.from(text) });
    const begin = [frame(OPCODES.binary, 'a'), frame(FIN | OPCODES.ping, ''), frame(FIN, 'b')];
    const end = [frame(FIN | OPCODES.binary, 'c', false), frame(FIN | OPCODES.binary, 'd')];
    expect(expectedInput(Buffer.concat([...begin, ...end])).toString()).toBe('ab');
  });
});

describe('the command line', () => {
  it('is read', () => {
    expect(planOf(['--minutes', '0.5', '--seed', 's', '--only', 'lane,guest', '--corpus', 'd'])).toEqual({
      kind: 'fuzz',
      minutes: 0.5,
      seed: 's',
      targets: ['guest', 'lane'],
      corpus: 'd',
    });
    expect(planOf(['--replay', 'f'])).toEqual({ kind: 'replay', file: 'f' });
    expect(planOf(['-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [['--minutes', '0'], '--minutes'],
    [['--minutes', 'x'], '--minutes'],
    [['--only', 'lane,x'], 'no target "x"'],
    [['--wrong'], '--wrong'],
  ])('with %j is refused', (args, text) => expect(() => planOf(args)).toThrow(text));
});
