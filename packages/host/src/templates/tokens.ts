import { type Parts, quoted, spendPart, TemplateError } from './template-error.ts';

/** A word of an expression. The text of a string is its value. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'symbol';
  readonly text: string;
}

interface Found {
  readonly tokens: readonly Token[];
  /** Behind the closing braces. */
  readonly end: number;
  /** Whether white space behind them is removed. */
  readonly trims: boolean;
}

/**
 * Groups: a name, a number, a string, a symbol. A string is on one line, and only double quotes and backslashes may be
 * escaped in it, as in pongo2.
 */
const TOKEN =
  /([A-Za-z_][A-Za-z0-9_]*)|([0-9]{1,15})(?![0-9.])|("(?:[^"\\\n]|\\["\\])*"|'(?:[^'\\\n]|\\["\\])*')|(==|!=|<>|&&|\|\||[!(),.|:=])/y;

const TRIMMING = { '}}': '-}}', '%}': '-%}' } as const;

/**
 * The tokens from a position of a template up to the closing braces.
 * @throws TemplateError
 */
export function tokensUntil(template: string, begin: number, closing: '}}' | '%}', parts: Parts): Found {
  const tokens: Token[] = [];
  for (let at = begin; ; at = TOKEN.lastIndex) {
    while (template[at] === ' ' || template[at] === '\t') at++;
    const trims = template.startsWith(TRIMMING[closing], at);
    if (trims || template.startsWith(closing, at)) {
      return { tokens, end: at + closing.length + (trims ? 1 : 0), trims };
    }
    spendPart(parts);
    TOKEN.lastIndex = at;
    tokens.push(tokenOf(TOKEN.exec(template)) ?? failed(template, at));
  }
}

function tokenOf(found: RegExpExecArray | null): Token | null {
  if (!found) return null;
  const [text, name, number, string] = found;
  if (name !== undefined) return { kind: 'name', text };
  if (number !== undefined) return { kind: 'number', text };
  if (string !== undefined) return { kind: 'string', text: text.slice(1, -1).replace(/\\(.)/g, '$1') };
  return { kind: 'symbol', text };
}

function failed(template: string, at: number): never {
  throw new TemplateError(whyNot(template, at));
}

function whyNot(template: string, at: number): string {
  if (at >= template.length) return 'a "{{" or "{%" has no end';
  const sign = template[at] ?? '';
  if (sign === '\n' || sign === '\r') return 'a line break inside of "{{ }}" or "{% %}"';
  if (sign === '"' || sign === "'") return 'a text in quotes has no end, or an unknown escape sequence';
  return `${quoted(template.slice(at, at + 1))} is not supported in an expression`;
}
