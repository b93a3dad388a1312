import { type Parts, spendPart, TemplateError } from './template-error.ts';
import { type Token, tokensUntil } from './tokens.ts';

/** A part of a template: text, or the content of `{{ }}` or `{% %}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output' | 'tag'; readonly tokens: readonly Token[] };

const OPENING_LENGTH = 2;

/**
 * Splits a template into its parts, without comments. A dash at the inner side of a brace, as in `{%-`, removes
 * the white space next to it outside.
 * @throws TemplateError
 */
export function piecesOf(template: string, parts: Parts): readonly Piece[] {
  const pieces: Piece[] = [];
  let trimsNext = false;
  for (let at = 0; at < template.length; ) {
    spendPart(parts);
    const open = openingAfter(template, at);
    const opening = template.slice(open, open + OPENING_LENGTH);
    const isComment = opening === '{#';
    const trimsBefore = !isComment && template[open + OPENING_LENGTH] === '-';
    let text = template.slice(at, open);
    if (trimsNext) text = text.trimStart();
    if (trimsBefore) text = text.trimEnd();
    if (text !== '') pieces.push({ kind: 'text', text });
    trimsNext = false;
    if (open === template.length) break;
    if (isComment) {
      at = commentEnd(template, open);
      continue;
    }
    const begin = open + OPENING_LENGTH + (trimsBefore ? 1 : 0);
    const found = tokensUntil(template, begin, opening === '{{' ? '}}' : '%}', parts);
    ({ end: at, trims: trimsNext } = found);
    const { tokens } = found;
    if (opening === '{%' && tokens[0]?.text === 'comment' && tokens.length === 1) {
      ({ end: at, trims: trimsNext } = commentTagEnd(template, at));
    } else pieces.push({ kind: opening === '{{' ? 'output' : 'tag', tokens });
  }
  return pieces;
}

const OPENING = /\{[{%#]/g;

function openingAfter(template: string, at: number): number {
  OPENING.lastIndex = at;
  return OPENING.exec(template)?.index ?? template.length;
}

/** pongo2 has comments of one line only, too. */
function commentEnd(template: string, open: number): number {
  const end = template.indexOf('#}', open);
  if (end < 0) throw new TemplateError('a comment "{#" has no end');
  if (template.slice(open, end).includes('\n')) {
    throw new TemplateError('a comment "{# #}" has more than one line: use {% comment %}');
  }
  return end + OPENING_LENGTH;
}

function commentTagEnd(template: string, at: number): { end: number; trims: boolean } {
  const tag = /\{%-?[ \t]*endcomment[ \t]*(-?)%\}/g;
  tag.lastIndex = at;
  const found = tag.exec(template);
  if (!found) throw new TemplateError('the tag "comment" has no end');
  return { end: found.index + found[0].length, trims: found[1] === '-' };
}
