import { recordOf } from '../core/records.ts';

/** The entries of a JSON object whose values are texts. */
export function ownRecordOfTexts(json: unknown): Readonly<Record<string, string>> {
  if (typeof json !== 'object' || json === null) return {};
  const texts = Object.entries(json).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return recordOf(texts);
}
