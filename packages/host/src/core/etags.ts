import { hash } from 'node:crypto';
import { listHolds } from '../base/lists.ts';
import type { GuestView } from './view.ts';

/** Characters of a digest that a tag has: 132 bits. */
const DIGEST_CHARACTERS = 22;

/** The ETag of a text, with its quotes: the same for equal texts, on every host and after every restart. */
export function etagOf(text: string): string {
  return `"${hash('sha256', text, 'base64url').slice(0, DIGEST_CHARACTERS)}"`;
}

/** The tags of an instance's values, by key; for unchanged values they are taken from `previous`. */
export function valueEtags(
  config: GuestView['config'],
  previous?: Pick<GuestView, 'config' | 'etags'>,
): ReadonlyMap<string, string> {
  const tags = [...config].map(([key, value]): [string, string] => {
    const known = previous?.config.get(key) === value ? previous.etags.get(key) : undefined;
    return [key, known ?? etagOf(value)];
  });
  return new Map(tags);
}

/** The tag of a list of keys; keys have no line breaks. */
export function listEtag(listed: readonly string[]): string {
  return etagOf(listed.join('\n'));
}

/** Whether an If-None-Match header names a tag, with the weak comparison of RFC 9110. */
export function namesEtag(ifNoneMatch: string, etag: string): boolean {
  return listHolds(ifNoneMatch, etag, `W/${etag}`, '*');
}
