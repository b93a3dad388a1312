import { FILTERS } from './filters.ts';
import { quoted, TEMPLATE_LIMITS, TemplateError } from './template-error.ts';
import type { Token } from './tokens.ts';
import type { Value } from './values.ts';

/** An expression of a template, checked: evaluation finds no unknown filter, function or operator in it. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'variable'; readonly name: string; readonly members: readonly string[] }
  | { readonly kind: 'config-get'; readonly key: Expression; readonly otherwise: Expression }
  | { readonly kind: 'filter'; readonly name: string; readonly of: Expression; readonly with: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: Binary; readonly left: Expression; readonly right: Expression };

type Binary = 'and' | 'or' | 'equal' | 'unequal' | 'in';

const NOTHING: Expression = { kind: 'literal', value: null };
const LITERALS: ReadonlyMap<string, Value> = new Map([
  ['true', true],
  ['false', false],
]);
const COMPARISONS: ReadonlyMap<string, Binary> = new Map([
  ['==', 'equal'],
  ['!=', 'unequal'],
  ['<>', 'unequal'],
  ['in', 'in'],
]);
const RESERVED = new Set(['and', 'or', 'not', 'in']);

/** Reads the tokens of one tag from the left. */
export class ExpressionReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** A whole expression. `or` binds least, then `and`, comparisons, `not`, filters, as in pongo2. */
  expression(): Expression {
    if (++this.#depth > TEMPLATE_LIMITS.nesting)
      throw new TemplateError('its expressions are nested too deeply');
    const found = this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#comparison()));
    this.#depth--;
    return found;
  }

  /** Whether the next token is this word or symbol, which is then read. */
  has(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (!token || token.kind === 'string' || token.text !== text) return false;
    this.#at++;
    return true;
  }

  /** Reads a name. @throws TemplateError */
  name(): string {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== 'name' || RESERVED.has(token.text)) throw unexpected(token, 'a name');
    return token.text;
  }

  /** @throws TemplateError if there is another token */
  end(): void {
    const token = this.#tokens[this.#at];
    if (token) throw unexpected(token, 'the end');
  }

  #chain(word: 'and' | 'or', symbol: string, part: () => Expression): Expression {
    let left = part();
    // A long chain is as deep a tree as its length.
    for (let length = 1; this.has(word) || this.has(symbol); length++) {
      if (length > TEMPLATE_LIMITS.nesting) throw new TemplateError(`too many "${word}" in one expression`);
      left = { kind: word, left, right: part() };
    }
    return left;
  }

  #comparison(): Expression {
    const left = this.#negation();
    const token = this.#tokens[this.#at];
    const kind = token && token.kind !== 'string' ? COMPARISONS.get(token.text) : undefined;
    if (!kind) return left;
    this.#at++;
    return { kind, left, right: this.#negation() };
  }

  #negation(): Expression {
    const isNegated = this.has('not') || this.has('!');
    const of = this.#filtered();
    return isNegated ? { kind: 'not', of } : of;
  }

  #filtered(): Expression {
    let of = this.#operand();
    for (let length = 1; this.has('|'); length++) {
      if (length > TEMPLATE_LIMITS.nesting) throw new TemplateError('too many filters in one expression');
      const name = this.name();
      if (!FILTERS.has(name)) throw new TemplateError(`the filter ${quoted(name)} is not supported`);
      of = { kind: 'filter', name, of, with: this.has(':') ? this.#operand() : NOTHING };
    }
    return of;
  }

  #operand(): Expression {
    if (this.has('(')) {
      const inner = this.expression();
      if (!this.has(')')) throw unexpected(this.#tokens[this.#at], '")"');
      return inner;
    }
    const token = this.#tokens[this.#at];
    if (token?.kind === 'string' || token?.kind === 'number') {
      this.#at++;
      return { kind: 'literal', value: token.kind === 'number' ? Number(token.text) : token.text };
    }
    return this.#variable(this.name());
  }

  #variable(name: string): Expression {
    const literal = LITERALS.get(name);
    if (literal !== undefined) return { kind: 'literal', value: literal };
    const members: string[] = [];
    while (this.has('.')) {
      if (members.length === TEMPLATE_LIMITS.nesting)
        throw new TemplateError('too many members in one variable');
      members.push(this.name());
    }
    if (name === 'config_get' && members.length === 0) return this.#configGet();
    if (this.has('(')) throw new TemplateError(`the function ${quoted(name)} is not supported`);
    return { kind: 'variable', name, members };
  }

  #configGet(): Expression {
    const take = (symbol: string) => {
      if (!this.has(symbol)) throw new TemplateError('config_get takes a key and a default');
    };
    take('(');
    const key = this.expression();
    take(',');
    const otherwise = this.expression();
    take(')');
    return { kind: 'config-get', key, otherwise };
  }
}

function unexpected(token: Token | undefined, wanted: string): TemplateError {
  return new TemplateError(`${token ? quoted(token.text) : 'the end'} where ${wanted} was expected`);
}
