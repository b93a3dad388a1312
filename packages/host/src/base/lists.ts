const COMMA = 0x2c;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Whether a comma-separated list holds an item; blanks around items do not count. One pass, without a copy: lists
 * come from clients that nobody trusts, in header fields of many thousand items.
 */
export function listHolds(list: string, item: string): boolean {
  let at = 0;
  while (at < list.length) {
    at = skipBlanks(list, at);
    if (list.charCodeAt(at) === item.charCodeAt(0) && list.startsWith(item, at)) {
      const end = skipBlanks(list, at + item.length);
      if (end >= list.length || list.charCodeAt(end) === COMMA) return true;
    }
    while (at < list.length && list.charCodeAt(at) !== COMMA) at++;
    at++;
  }
  return false;
}

function skipBlanks(list: string, from: number): number {
  let at = from;
  while (at < list.length && (list.charCodeAt(at) === SPACE || list.charCodeAt(at) === TAB)) at++;
  return at;
}
