import type { CodedError } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';

/** Characters of a name that an error shows. */
const SHOWN_MAX = 200;

/** The error for an archive that is refused, with the reason. */
export function invalidArchive(why: string): CodedError {
  return hostError('image-invalid', `Invalid archive: ${why}`);
}

/** A name from an archive (latin1, one character per byte) as an error shows it: quoted, and not too long. */
export function shown(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text);
}
