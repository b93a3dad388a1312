/** Limits of a template, and of what all templates of one start may cost. Images are made by strangers. */
export const TEMPLATE_LIMITS = {
  /** Tags inside tags, parentheses inside parentheses: each is a level of recursion. */
  nesting: 32,
  /** Parts of one template: pieces of text, tags, operands. */
  parts: 20_000,
  /** Characters that all templates of one start read and write, and the steps that they take. */
  work: 2_000_000,
  /** Characters of one file. */
  output: 1_048_576,
} as const;

/** A template that cannot be used; the message says why, in a few words after the template's name. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Quotes a piece of a template for a message. */
export function quoted(text: string): string {
  const SHOWN_MAX = 40;
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text);
}
