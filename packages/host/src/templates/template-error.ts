/** Limits of a template, and of what all templates of one start may cost. Images are made by strangers. */
export const TEMPLATE_LIMITS = {
  /** Tags inside tags, parentheses inside parentheses: each is a level of recursion. */
  nesting: 32,
  /** Characters of one template. Those of real images have less than 4 KiB. */
  text: 65_536,
  /** Parts of all templates of an image: pieces of text, comments, tags, and the words and symbols in tags. */
  parts: 10_000,
  /** Characters that all templates of one start read and write, and the steps that they take. */
  work: 2_000_000,
  /** Characters of one file. */
  output: 1_048_576,
} as const;

/** How many parts the templates of an image may still use. */
export interface Parts {
  left: number;
}

/** For the templates of one image. */
export const newParts = (): Parts => ({ left: TEMPLATE_LIMITS.parts });

/** Counts one part. @throws TemplateError if it is above the limit */
export function spendPart(parts: Parts): void {
  if (--parts.left < 0) throw new TemplateError('it has too many parts, or those before it have');
}

/** A template that cannot be used; the message says why, in a few words after the template's name. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Quotes a piece of a template for a message. */
export function quoted(text: string): string {
  const SHOWN_MAX = 40;
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text);
}
