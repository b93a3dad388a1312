import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedDecoder } from './chunked.ts';

function decode(pieces: readonly Buffer[], bytesMax = 1000) {
  const data: Buffer[] = [];
  const decoder = new ChunkedDecoder(bytesMax, (bytes, start, end) =>
    data.push(Buffer.from(bytes.subarray(start, end))),
  );
  let used = 0;
  for (const piece of pieces) {
    const result = decoder.push(piece);
    used += result.used;
    if (result.progress !== 'more') return { progress: result.progress, used, body: Buffer.concat(data) };
  }
  return { progress: 'more', used, body: Buffer.concat(data) };
}

const whole = (text: string) => [Buffer.from(text, 'latin1')];
const bytewise = (input: Buffer) => [...input].map((byte) => Buffer.from([byte]));

describe('ChunkedDecoder', () => {
  it.each([
    ['0\r\n\r\n', ''],
    ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['3\nabc\r\n0\n\n', 'abc'],
    ['A;x=y\r\n0123456789\r\n1 \r\nz\r\n00\r\nTrailer: x\r\nOther: y\r\n\r\n', '0123456789z'],
  ])('reads %j, whole and byte by byte', (text, body) => {
    for (const pieces of [whole(text), bytewise(Buffer.from(text))]) {
      expect(decode(pieces)).toEqual({ progress: 'done', used: text.length, body: Buffer.from(body) });
    }
  });

  it('reads no byte after the body', () => {
    expect(decode(whole('1\r\na\r\n0\r\n\r\nGET /')).used).toBe('1\r\na\r\n0\r\n\r\n'.length);
  });

  it.each([
    ['\r\n', 'malformed'],
    ['g\r\n', 'malformed'],
    ['-1\r\n', 'malformed'],
    ['0x1\r\n', 'malformed'],
    ['1\ra', 'malformed'],
    ['1\r\nab', 'malformed'],
    ['1\r\na\n', 'malformed'],
    ['000000001\r\n', 'malformed'],
    [`1;${'x'.repeat(300)}`, 'malformed'],
    [`0\r\n${'x: y\r\n'.repeat(2000)}`, 'malformed'],
    ['3e9\r\n', 'too-large'],
    ['3e8\r\n'.concat('x'.repeat(1000), '\r\n1\r\n'), 'too-large'],
  ])('refuses %j as %s', (text, progress) => {
    expect(decode(whole(text)).progress).toBe(progress);
    expect(decode(bytewise(Buffer.from(text))).progress).toBe(progress);
  });

  it('decodes any body, cut into any pieces, and never throws', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 6 }),
        fc.array(fc.nat(30), { maxLength: 20 }),
        (chunks, cuts) => {
          const encoded = Buffer.concat([
            ...chunks
              .flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n'])
              .map((part) => Buffer.from(part as string)),
            Buffer.from('0\r\n\r\n'),
          ]);
          const pieces: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) {
            pieces.push(encoded.subarray(at, at + cut));
            at += cut;
          }
          pieces.push(encoded.subarray(at));
          expect(decode(pieces)).toMatchObject({ progress: 'done', body: Buffer.concat(chunks) });
        },
      ),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (input) => void decode([Buffer.from(input)])));
  });
});
