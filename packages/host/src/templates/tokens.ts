import { quoted, TEMPLATE_LIMITS, TemplateError } from './template-error.ts';

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

const SPACE = /[ \t]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9]{1,15}(?![0-9.])/y;
const SYMBOL = /==|!=|<>|&&|\|\||[!(),.|:=]/y;
/** On one line, and only double quotes and backslashes may be escaped, as in pongo2. */
const STRING = /"(?:[^"\\\n]|\\["\\])*"|'(?:[^'\\\n]|\\["\\])*'/y;

/**
 * The tokens from a position of a template up to the closing braces.
 * @throws TemplateError
 */
export function tokensUntil(template: string, begin: number, closing: '}}' | '%}'): Found {
  const tokens: Token[] = [];
  let at = begin;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const [text] = pattern.exec(template) ?? [null];
    if (text !== null) at += text.length;
    return text;
  };
  for (;;) {
    take(SPACE);
    const trims = template.startsWith(`-${closing}`, at);
    if (trims || template.startsWith(closing, at)) {
      return { tokens, end: at + closing.length + (trims ? 1 : 0), trims };
    }
    tokens.push(nextToken(take, template, at));
    if (tokens.length > TEMPLATE_LIMITS.parts) throw new TemplateError('it has too many parts');
  }
}

function nextToken(take: (pattern: RegExp) => string | null, template: string, at: number): Token {
  const name = take(NAME);
  if (name !== null) return { kind: 'name', text: name };
  const number = take(NUMBER);
  if (number !== null) return { kind: 'number', text: number };
  const string = take(STRING);
  if (string !== null) return { kind: 'string', text: string.slice(1, -1).replace(/\\(.)/g, '$1') };
  const symbol = take(SYMBOL);
  if (symbol !== null) return { kind: 'symbol', text: symbol };
  throw new TemplateError(whyNot(template, at));
}

function whyNot(template: string, at: number): string {
  if (at >= template.length) return 'a "{{" or "{%" has no end';
  const sign = template[at] ?? '';
  if (sign === '\n' || sign === '\r') return 'a line break inside of "{{ }}" or "{% %}"';
  if (sign === '"' || sign === "'") return 'a text in quotes has no end, or an unknown escape sequence';
  return `${quoted(template.slice(at, at + 1))} is not supported in an expression`;
}
