const COMMA = 0x2c;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Whether a comma-separated list contains one of the items; blanks around items are ignored. It makes one
 * pass and no copy: lists come from untrusted clients, in header fields with many thousand items.
 */
export function listHolds(list: string, ...items: readonly string[]): boolean {
  let at = 0;
  while (at < list.length) {
    at = skipBlanks(list, at);
    if (list.charCodeAt(at) !== COMMA && items.some((item) => isAt(list, at, item))) return true;
    while (at < list.length && list.charCodeAt(at) !== COMMA) at++;
    at++;
  }
  return false;
}

function isAt(list: string, at: number, item: string): boolean {
  if (!list.startsWith(item, at)) return false;
  const end = skipBlanks(list, at + item.length);
  return end >= list.length || list.charCodeAt(end) === COMMA;
}

function skipBlanks(list: string, from: number): number {
  let at = from;
  while (at < list.length && (list.charCodeAt(at) === SPACE || list.charCodeAt(at) === TAB)) at++;
  return at;
}
