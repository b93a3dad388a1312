import { hostError } from './host-errors.ts';

const TRUE: ReadonlySet<string> = new Set(['true', 'yes', '1', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'no', '0', 'off']);

/** Whether a text is one of LXD's words for true and false, in upper or lower case. */
export function isBoolean(text: string): boolean {
  const word = text.toLowerCase();
  return TRUE.has(word) || FALSE.has(word);
}

/**
 * The boolean value of an option or config key. A text that is not one of the words is false.
 * @param unset the result for a missing or empty value
 */
export function isTrue(value: string | undefined, unset: boolean): boolean {
  return value ? TRUE.has(value.toLowerCase()) : unset;
}

/** @throws bad-request with LXD's text */
export function checkBoolean(value: string): void {
  if (!isBoolean(value)) throw hostError('bad-request', `Invalid value for a boolean "${value}"`);
}
