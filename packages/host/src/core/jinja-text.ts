/**
 * Stands for each character of an expression, so that positions stay the same: a character of private use,
 * which is a letter to YAML.
 */
const MASK = '\ue000';

/** An expression on one line, without braces outside of quotes. */
const EXPRESSION = /\{\{(?:[^\n{}"'\\]|"[^\n"\\]*"|'[^\n'\\]*')*\}\}/g;
/** Whitespace control: the line breaks around such an expression vanish. */
const STRIPS = /\{\{[-+]|[-+]\}\}/;
/** What begins an expression, a statement or a comment. */
const BEGIN = /\{[{%#]/;

/** Whether cloud-init reads the text as a Jinja template that becomes a cloud-config. */
export function isTemplate(text: string): boolean {
  return /^## template: jinja[ \t\r]*\n[ \t\r\n]*#cloud-config[ \t\r]*(\n|$)/.test(text);
}

/**
 * Makes a template readable as YAML, whatever its expressions stand for.
 * @returns undefined if the text has statements, comments, or expressions that are not plain
 */
export function maskExpressions(text: string): string | undefined {
  if (isMasked(text) || STRIPS.test(text)) return undefined;
  const masked = text.replace(EXPRESSION, (expression) => MASK.repeat(expression.length));
  return BEGIN.test(masked) ? undefined : masked;
}

export function isMasked(text: string): boolean {
  return text.includes(MASK);
}
