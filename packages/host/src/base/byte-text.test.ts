import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { bytesOfText, encodeName, nameInQuery, textOfBytes } from './byte-text.ts';
import { anyCharacter } from './testing/any-text.ts';

/** Bytes that are partly UTF-8, with characters cut off or not. */
const names = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.string({ unit: anyCharacter }).map((text) => Buffer.from(text)),
    ),
  )
  .map((parts) => Buffer.concat(parts));

it('any bytes become text, and the text becomes the same bytes again, also through JSON and a URL', () => {
  fc.assert(
    fc.property(names, (bytes) => {
      const text = textOfBytes(bytes);
      expect(bytesOfText(text)).toEqual(bytes);
      expect(JSON.parse(Buffer.from(JSON.stringify(text)).toString())).toBe(text);
      const query = `a=b&path=${encodeName(text)}&path=c`;
      expect(query).toMatch(/^[\x20-\x7e]*$/);
      expect(nameInQuery(query, 'path')).toBe(text);
    }),
  );
});

it('valid UTF-8 becomes its usual text', () => {
  for (const text of ['plain', 'grün', '漢😀', '\ufffd', ''])
    expect(textOfBytes(Buffer.from(text))).toBe(text);
  expect(textOfBytes(Buffer.from('caf\xe9 \xe2\x82', 'latin1'))).toBe('caf\udce9 \udce2\udc82');
});

it('a query is decoded like an HTML form', () => {
  expect(nameInQuery('path=%2Fa+b%20c', 'path')).toBe('/a b c');
  expect(nameInQuery('path=%zz%e', 'path')).toBe('%zz%e');
  expect(nameInQuery('xpath=a', 'path')).toBeUndefined();
  expect(nameInQuery('', 'path')).toBeUndefined();
});
