/** Where a listener wants to continue: after an event that it has seen, or at the end of the journal. */
export type Position = number | 'now';

/** A whole number in decimal, without sign or leading zeros. */
const SEQUENCE = /^(0|[1-9][0-9]{0,15})$/;

/** The value of `since`; undefined if it is not a position. */
export function readPosition(text: string): Position | undefined {
  if (text === 'now') return text;
  return wholeNumber(text);
}

/** The value of `limit`, the most events of an answer, lowered to `max`; undefined if it is invalid. */
export function readLimit(text: string, max: number): number | undefined {
  const number = wholeNumber(text);
  return number === undefined || number === 0 ? undefined : Math.min(number, max);
}

function wholeNumber(text: string): number | undefined {
  const number = SEQUENCE.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
