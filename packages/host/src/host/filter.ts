import { hostError } from '../core/host-errors.ts';

/** Tells whether an object, as the API shows it, passes. */
export type Filter = (value: unknown) => boolean;

interface Clause {
  readonly join: 'and' | 'or';
  readonly negated: boolean;
  readonly field: string;
  readonly operator: 'eq' | 'ne';
  readonly value: string;
}

interface Token {
  readonly text: string;
  /** A quoted word is never a keyword. */
  readonly quoted: boolean;
}

/**
 * Reads a filter such as `status eq running and not name eq "a b"`: clauses are joined from left to right,
 * fields with dots reach into maps. An empty filter lets everything pass.
 * @throws CodedError 400 `Invalid filter: ...`
 */
export function parseFilter(expression: string): Filter {
  const clauses = readClauses(tokenize(expression));
  if (clauses.length === 0) return () => true;
  const tests = clauses.map((clause) => ({ join: clause.join, test: clauseTest(clause) }));
  return (value) =>
    tests.reduce(
      (passed, { join, test }) => (join === 'and' ? passed && test(value) : passed || test(value)),
      true,
    );
}

function tokenize(expression: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]+)(?=\s|$))\s*/y;
  const source = expression.trim();
  while (pattern.lastIndex < source.length) {
    const match = pattern.exec(source);
    if (!match) throw invalid('a quote is not closed or stands inside a word');
    const [, quoted, plain] = match;
    if (quoted === undefined) tokens.push({ text: plain ?? '', quoted: false });
    else tokens.push({ text: quoted.replace(/\\(["\\])/g, '$1'), quoted: true });
  }
  return tokens;
}

function readClauses(tokens: readonly Token[]): readonly Clause[] {
  const clauses: Clause[] = [];
  let at = 0;
  const keyword = () => (tokens[at]?.quoted ? undefined : tokens[at]?.text.toLowerCase());
  while (at < tokens.length) {
    let join: Clause['join'] = 'and';
    if (clauses.length > 0) {
      const word = keyword();
      if (word !== 'and' && word !== 'or') throw invalid(`"${tokens[at]?.text}" is neither "and" nor "or"`);
      join = word;
      at++;
    }
    const negated = keyword() === 'not';
    if (negated) at++;
    const field = tokens[at++]?.text;
    if (field === undefined) throw invalid('clause has no field');
    const operator = keyword();
    if (operator === undefined) throw invalid('clause has no operator');
    if (operator !== 'eq' && operator !== 'ne') throw invalid(`unknown operator "${tokens[at]?.text}"`);
    at++;
    const value = tokens[at++]?.text;
    if (value === undefined) throw invalid('clause has no value');
    clauses.push({ join, negated, field, operator, value });
  }
  return clauses;
}

function clauseTest({ field, operator, value, negated }: Clause): Filter {
  const matches = valueTest(value);
  const equal = operator === 'eq';
  return (object) => {
    const found = lookUp(object, field);
    return (matches(found) === equal) !== negated;
  };
}

/** A string matches a case-insensitive regular expression as a whole; other values are compared as text. */
function valueTest(value: string): (found: unknown) => boolean {
  const pattern = regularExpression(value);
  return (found) => {
    if (typeof found === 'string') {
      return pattern ? pattern.test(found) : found.toLowerCase() === value.toLowerCase();
    }
    if (typeof found === 'boolean' || typeof found === 'number') return String(found) === value.toLowerCase();
    return false;
  };
}

function regularExpression(value: string): RegExp | undefined {
  const anchored = /[\^$]/.test(value) ? value : `^(?:${value})$`;
  try {
    return new RegExp(anchored, 'i');
  } catch {
    return undefined;
  }
}

/** Map keys may contain dots, so the longest name that exists is used. */
function lookUp(object: unknown, field: string): unknown {
  if (object === null || typeof object !== 'object') return undefined;
  if (Object.hasOwn(object, field)) return (object as Record<string, unknown>)[field];
  for (let dot = field.lastIndexOf('.'); dot > 0; dot = field.lastIndexOf('.', dot - 1)) {
    const head = field.slice(0, dot);
    if (!Object.hasOwn(object, head)) continue;
    return lookUp((object as Record<string, unknown>)[head], field.slice(dot + 1));
  }
  return undefined;
}

function invalid(why: string): Error {
  return hostError('bad-request', `Invalid filter: ${why}`);
}
