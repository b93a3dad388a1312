import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { CodedError } from '../base/coded-error.ts';
import { checkGlobalPax, parsePax, paxNumber, paxText } from './pax.ts';

const parse = (text: string) => parsePax(Buffer.from(text, 'latin1'));

it('records are read with values that have spaces, equals signs and new lines', () => {
  expect([...parse('12 path=a b\n8 k=v=w\n')]).toEqual([
    ['path', 'a b'],
    ['k', 'v=w'],
  ]);
  expect(parse('16 path=a b=c\nd\n').get('path')).toBe('a b=c\nd');
});

it.each([
  ['5', 'no space'],
  ['0 a=b\n', 'a length of 0'],
  ['-6 a=b\n', 'a negative length'],
  ['7 a=b\n', 'a length beyond the end'],
  ['6 a=bc\n', 'a length before the end'],
  ['6 abc\n', 'no equals sign'],
  ['6 =bc\n', 'no key'],
  ['06 a=b\n', 'a zero in front'],
  ['9999999999 a=b\n', 'a huge length'],
])('refuses %j: %s', (text) => {
  expect(() => parse(text)).toThrow('an extended header is malformed');
});

it('any bytes are read, or refused with a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        parsePax(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError);
      }
    }),
  );
});

it('offsets and lengths of a sparse file, which are there again and again, become lists', () => {
  const text = ['offset=1', 'numbytes=2', 'offset=30', 'numbytes=4'].map((pair) => {
    const record = ` GNU.sparse.${pair}\n`;
    return `${record.length + 2}${record}`;
  });
  expect([...parse(text.join(''))]).toEqual([
    ['GNU.sparse.offset', '1,30'],
    ['GNU.sparse.numbytes', '2,4'],
  ]);
});

it('the last of other records with the same key counts, and an empty one stands for none', () => {
  const records = parse('9 path=a\n9 path=b\n7 uid=\n');
  expect(paxText(records, 'path')).toBe('b');
  expect(paxNumber(records, 'uid')).toBeUndefined();
});

it.each(['path', 'linkpath', 'size', 'GNU.sparse.size', 'SCHILY.xattr.user.x'])(
  'a global header may not set %s',
  (key) => {
    expect(() => checkGlobalPax(new Map([[key, '1']]))).toThrow('a global extended header sets');
  },
);

it('a global header may have a comment, and owners of all files', () => {
  checkGlobalPax(new Map(Object.entries({ comment: 'a commit id', uid: '0', gid: '0', gname: 'root' })));
});

it('numbers have to be decimal digits and safe integers', () => {
  expect(paxNumber(new Map([['size', '123']]), 'size')).toBe(123);
  expect(paxNumber(new Map(), 'size')).toBeUndefined();
  for (const text of ['-1', '1.5', '1e3', '0x10', ' 1', '9007199254740992']) {
    expect(() => paxNumber(new Map([['size', text]]), 'size'), text).toThrow('has the size');
  }
});
