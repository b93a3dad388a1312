/**
 * Turns comments and the insides of strings, templates and regular expressions into spaces, so that what is
 * left can be searched as code. Code inside `${}` stays. Length and line ends are kept.
 */
export function masked(text: string): string {
  const out = text.split('');
  /** Depth of braces at which each open template goes on. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  const blank = (end: number) => {
    for (; at < end && at < text.length; at++) if (text[at] !== '\n') out[at] = ' ';
  };
  while (at < text.length) {
    const char = text[at];
    if (text.startsWith('//', at) || text.startsWith('#!', at)) blank(endOf(text, '\n', at));
    else if (text.startsWith('/*', at)) blank(endOf(text, '*/', at + 2) + 2);
    else if (char === '/' && startsRegex(out, at)) blankInside(regexEnd(text, at));
    else if (char === "'" || char === '"') blankInside(stringEnd(text, at));
    else if (char === '`' || (char === '}' && templates.at(-1) === depth)) blankTemplate(char === '}');
    else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      at++;
    }
  }
  return out.join('');

  /** Keeps the two delimiters; `end` is behind the second. */
  function blankInside(end: number): void {
    at++;
    blank(end - 1);
    at = end;
  }

  function blankTemplate(resumed: boolean): void {
    if (resumed) templates.pop();
    const end = templateEnd(text, at + 1);
    at++;
    blank(end);
    if (text[end] === '$') {
      templates.push(depth);
      at = end + 2;
    } else at = end + 1;
  }
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end;
}

/** A slash starts a regular expression unless a value stands before it. */
function startsRegex(out: readonly string[], at: number): boolean {
  const before = out
    .slice(Math.max(0, at - 40), at)
    .join('')
    .trimEnd();
  return /(^|[^\w$)\]}'"`])$/.test(before) || /\b(return|typeof|case|in|of|await|yield)$/.test(before);
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at++) {
    const char = text[at];
    if (char === '\\') at++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return at + 1;
  }
  return start + 1;
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at + 1;
  }
  return start + 1;
}

/** Where a template's text stops: at its closing backtick or at `${`. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`' || text.startsWith('${', at)) return at;
  }
  return text.length;
}
