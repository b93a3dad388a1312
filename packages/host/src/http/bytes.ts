export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;

/** 1 for each byte that may stand in a method or a header name (RFC 9110 `token`). */
export const TOKEN = byteTable((byte, text) => /[A-Za-z0-9!#$%&'*+.^_`|~-]/.test(text) && byte < 0x80);

/** 1 for each byte that may stand in a header value: tab, visible ASCII, space, and all above 0x7f. */
export const VALUE = byteTable((byte) => byte === TAB || (byte >= SPACE && byte !== 0x7f));

/** 1 for each byte that may stand in a request target: no control byte and no space. */
export const TARGET = byteTable((byte) => byte > SPACE && byte !== 0x7f);

/** 1 for each byte that may stand unescaped in a `Location`. */
export const LOCATION = byteTable((_byte, text) => /[!#-;=?-Z[\]_a-z~]/.test(text));

/** 1 for each byte that may stand in a `Host`: host and port of RFC 3986, and `%`. */
export const HOST = byteTable((_byte, text) => /[A-Za-z0-9!$%&'()*+,\-.:;=[\]_~]/.test(text));

/** The bytes at `start`..`end` as text, one character per byte. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

/** Value of a hex digit, given its character code; -1 for any other character. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function byteTable(allowed: (byte: number, text: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (allowed(byte, String.fromCharCode(byte)) ? 1 : 0));
}
