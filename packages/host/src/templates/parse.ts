import { type Expression, ExpressionReader } from './expression.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { newParts, type Parts, quoted, TEMPLATE_LIMITS, TemplateError } from './template-error.ts';

/** A part of a parsed template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly of: Expression }
  | { readonly kind: 'if'; readonly branches: readonly Branch[]; readonly otherwise: readonly Node[] }
  | ForNode;

/** The content of an `if` or `elif`. */
export interface Branch {
  readonly condition: Expression;
  readonly body: readonly Node[];
}

/** A loop: over values, or names and values. */
export interface ForNode {
  readonly kind: 'for';
  readonly names: readonly [first: string, second: string | null];
  readonly over: Expression;
  readonly reversed: boolean;
  readonly body: readonly Node[];
  readonly empty: readonly Node[];
}

/** Where a body ends: a tag, with the rest of its tokens. */
interface End {
  readonly tag: string;
  readonly reader: ExpressionReader;
}

/**
 * Parses a template. Its time is in proportion to its text, which is limited, and to what it takes from `parts`.
 * @param parts shared by all templates of an image
 * @throws TemplateError that says what is not supported in it
 */
export function parseTemplate(template: string, parts: Parts = newParts()): readonly Node[] {
  if (template.length > TEMPLATE_LIMITS.text) {
    throw new TemplateError(`it has more than ${TEMPLATE_LIMITS.text} characters`);
  }
  const { body, end } = new Parser(piecesOf(template, parts)).body();
  if (end) throw new TemplateError(`the tag ${quoted(end.tag)} is not supported, or at the wrong place`);
  return body;
}

class Parser {
  readonly #pieces: readonly Piece[];
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** The nodes up to a tag that begins none; no such tag: the template's end. */
  body(): { body: readonly Node[]; end: End | null } {
    if (++this.#depth > TEMPLATE_LIMITS.nesting) throw new TemplateError('its tags are nested too deeply');
    const body: Node[] = [];
    let end: End | null = null;
    while (end === null) {
      const piece = this.#pieces[this.#at++];
      if (!piece) break;
      if (piece.kind === 'text') body.push(piece);
      else if (piece.kind === 'output')
        body.push({ kind: 'output', of: whole(new ExpressionReader(piece.tokens)) });
      else {
        const reader = new ExpressionReader(piece.tokens);
        const tag = reader.has('in') ? 'in' : reader.name();
        if (tag === 'if') body.push(this.#if(reader));
        else if (tag === 'for') body.push(this.#for(reader));
        else end = { tag, reader };
      }
    }
    this.#depth--;
    return { body, end };
  }

  #if(first: ExpressionReader): Node {
    const branches: Branch[] = [];
    let otherwise: readonly Node[] = [];
    let reader = first;
    for (;;) {
      const condition = whole(reader);
      const { body, end } = this.body();
      branches.push({ condition, body });
      if (end?.tag === 'elif') {
        ({ reader } = end);
        continue;
      }
      if (end?.tag === 'else') otherwise = this.#last('if', end);
      else close('if', end);
      return { kind: 'if', branches, otherwise };
    }
  }

  #for(reader: ExpressionReader): Node {
    const first = reader.name();
    const second = reader.has(',') ? reader.name() : null;
    if (!reader.has('in')) throw new TemplateError('the tag "for" has no "in"');
    const over = reader.expression();
    const reversed = reader.has('reversed');
    // `sorted` has no effect: maps are always sorted here, because a random order has no use.
    reader.has('sorted');
    reader.end();
    const { body, end } = this.body();
    const empty = end?.tag === 'empty' ? this.#last('for', end) : [];
    if (end?.tag !== 'empty') close('for', end);
    return { kind: 'for', names: [first, second], over, reversed, body, empty };
  }

  #last(tag: 'if' | 'for', before: End): readonly Node[] {
    before.reader.end();
    const { body, end } = this.body();
    close(tag, end);
    return body;
  }
}

function whole(reader: ExpressionReader): Expression {
  const found = reader.expression();
  reader.end();
  return found;
}

function close(tag: 'if' | 'for', end: End | null): void {
  if (end === null) throw new TemplateError(`the tag "${tag}" has no end`);
  if (end.tag !== `end${tag}`) {
    throw new TemplateError(`the tag ${quoted(end.tag)} is not supported, or at the wrong place`);
  }
  end.reader.end();
}
