/**
 * Characters that make a terminal do something instead of showing them: controls (C0 but tab and line feed, DEL,
 * C1), and those that turn the direction of writing. Guests choose names of files and interfaces, log lines and more.
 */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Whether a text has a character that a terminal would obey. */
export function isUnsafe(text: string): boolean {
  return text.search(UNSAFE) !== -1;
}

/** Text that a terminal only shows; lines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, '?');
}

/** The same for what must stay one line, such as the name of a file. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\t\n]/g, '?');
}

/** Writes unsafe characters as `\u001b`: inside the quotes of JSON and YAML that is the same text. */
export function escapeQuoted(text: string): string {
  return text.replaceAll(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
