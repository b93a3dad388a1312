import { lineAt, type Source } from './source.ts';

/** A function's place and length. */
export interface Measured {
  /** `path:line`, the line of its parameters. */
  readonly place: string;
  /** From the parameters to the closing brace. */
  readonly lines: number;
}

/** Words that stand before parentheses and braces without making a function. */
const NOT_FUNCTIONS = /\b(if|for|while|switch|catch|with)(\s+await)?\s*$/;

/** Every function with a body in braces: declarations, methods, arrows. */
export function functionsOf({ path, code }: Source): Measured[] {
  const found: Measured[] = [];
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '(') open.push(at);
    if (code[at] !== ')') continue;
    const start = open.pop() ?? 0;
    if (NOT_FUNCTIONS.test(code.slice(Math.max(0, start - 20), start))) continue;
    const body = bodyAfter(code, at + 1);
    if (body === null) continue;
    const first = lineAt(code, start);
    found.push({ place: `${path}:${first}`, lines: lineAt(code, closing(code, body)) - first + 1 });
  }
  return found;
}

/**
 * Where the body of a function opens whose parameters end before `from`: at once, behind a return type, or
 * behind an arrow; null when it was a call, a type or an arrow with a bare expression.
 */
function bodyAfter(code: string, from: number): number | null {
  let at = skipSpace(code, from);
  if (code[at] === ':') at = typeEnd(code, at + 1);
  if (code.startsWith('=>', at)) at = skipSpace(code, at + 2);
  return code[at] === '{' ? at : null;
}

/** Where a return type stops: before the body's brace, an arrow, or whatever shows that it was no type. */
function typeEnd(code: string, from: number): number {
  /** After a name or a closing bracket a type can be over; after anything else it goes on. */
  let canEnd = false;
  for (let at = from; at < code.length; at++) {
    const char = code[at] as string;
    if (/\s/.test(char)) continue;
    if (canEnd && (char === '{' || code.startsWith('=>', at))) return at;
    if (/[;,=)}\]]/.test(char)) return at;
    if (/[({[<]/.test(char)) at = closing(code, at);
    canEnd = /[\w$'"`)\]}>]/.test(code[at] as string) && !endsInOperator(code, at);
  }
  return code.length;
}

function endsInOperator(code: string, at: number): boolean {
  return /\b(keyof|is|asserts|readonly|extends|typeof|unique|infer)$/.test(
    code.slice(Math.max(0, at - 9), at + 1),
  );
}

/** The bracket that closes the one at `from`; arrows inside `<>` are not brackets. */
function closing(code: string, from: number): number {
  const opener = code[from] as string;
  const closer = { '(': ')', '{': '}', '[': ']', '<': '>' }[opener] as string;
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    if (code[at] === opener) depth++;
    if (code[at] === closer && code[at - 1] !== '=' && --depth === 0) return at;
  }
  return code.length - 1;
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (/\s/.test(code[at] ?? '')) at++;
  return at;
}
