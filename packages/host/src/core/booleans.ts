import { hostError } from './host-errors.ts';

const TRUE: ReadonlySet<string> = new Set(['true', 'yes', '1', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'no', '0', 'off']);

/** Whether a text is one of LXD's words for true and false, in any case. */
export function isBoolean(text: string): boolean {
  const word = text.toLowerCase();
  return TRUE.has(word) || FALSE.has(word);
}

/**
 * What an option or config key says.
 * @param unset what it means when it is missing or empty; any other text that is no word for true is false
 */
export function isTrue(value: string | undefined, unset: boolean): boolean {
  return value ? TRUE.has(value.toLowerCase()) : unset;
}

/** @throws bad-request with LXD's text */
export function checkBoolean(value: string): void {
  if (!isBoolean(value)) throw hostError('bad-request', `Invalid value for a boolean "${value}"`);
}
