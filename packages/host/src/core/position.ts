/** Where a listener wants to go on: behind an event that it has seen, or at the end of the journal. */
export type Position = number | 'now';

/** Sequence numbers are whole and exact. */
const SEQUENCE = /^(0|[1-9][0-9]{0,15})$/;

/** The value of `since`; undefined for one that is no position. */
export function readPosition(text: string): Position | undefined {
  if (text === 'now') return text;
  return wholeNumber(text);
}

/** The value of `limit`: how many events an answer may have, cut to `max`; undefined for one that is no number. */
export function readLimit(text: string, max: number): number | undefined {
  const number = wholeNumber(text);
  return number === undefined || number === 0 ? undefined : Math.min(number, max);
}

function wholeNumber(text: string): number | undefined {
  const number = SEQUENCE.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
