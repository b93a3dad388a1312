/**
 * Characters that a terminal acts on instead of showing them: controls (C0 except tab and line feed, DEL,
 * C1), and characters that change the direction of writing. Guests choose the names of files and interfaces,
 * log lines and more.
 */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Whether a text has a character that a terminal would act on. */
export function isUnsafe(text: string): boolean {
  return text.search(UNSAFE) !== -1;
}

/** The text with `?` for each unsafe character; line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, '?');
}

/** Like {@link printable}, for text that must stay on one line, such as a file name. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\t\n]/g, '?');
}

/**
 * Writes unsafe characters as `\u001b`, which means the same inside the quotes of JSON and YAML.
 * @param characters others to write so
 */
export function escapeQuoted(text: string, characters = UNSAFE): string {
  return text.replaceAll(characters, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
