import { isUtf8 } from 'node:buffer';

// Names in Linux are bytes, mostly UTF-8. In text, each byte that is not part of a character becomes a lone
// surrogate, U+DC80 to U+DCFF, as in Python. Valid text has no lone surrogates, so bytes and text convert
// into each other without loss. JSON writes a lone surrogate as an escape; a program that does not know
// this convention reads U+FFFD.

const LONE = /([\udc80-\udcff])/u;
const LONE_BASE = 0xdc00;
const CHARACTER_BYTES_MAX = 4;

/** The text of a name; {@link bytesOfText} is the inverse. */
export function textOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    text += character?.toString('utf8') ?? String.fromCharCode(LONE_BASE + (bytes[at] as number));
    at += character?.length ?? 1;
  }
  return text;
}

function characterAt(bytes: Buffer, at: number): Buffer | undefined {
  for (let length = 1; length <= CHARACTER_BYTES_MAX; length++) {
    const character = bytes.subarray(at, at + length);
    if (isUtf8(character)) return character;
  }
  return undefined;
}

/** The bytes of a name; the inverse of {@link textOfBytes}. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat(
    text.split(LONE).map((part) => (LONE.test(part) ? Buffer.from([loneByte(part)]) : Buffer.from(part))),
  );
}

/** A name as part of a URL, its bytes percent-encoded. */
export function encodeName(text: string): string {
  return text
    .split(LONE)
    .map((part) =>
      LONE.test(part) ? `%${loneByte(part).toString(16).toUpperCase()}` : encodeURIComponent(part),
    )
    .join('');
}

/** The decoded value of the first parameter with this name in a raw query; undefined if there is none. */
export function nameInQuery(query: string, parameter: string): string | undefined {
  const value = query.split('&').find((each) => each.startsWith(`${parameter}=`));
  if (value === undefined) return undefined;
  const bytes = value
    .slice(parameter.length + 1)
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return textOfBytes(Buffer.from(bytes, 'latin1'));
}

const loneByte = (part: string) => part.charCodeAt(0) - LONE_BASE;
