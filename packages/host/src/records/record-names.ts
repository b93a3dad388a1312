import { createHash } from 'node:crypto';

/** The kinds of objects that have a record. */
export type RecordKind = 'instance' | 'profile' | 'image' | 'alias';

/** The name of an object's record. @param key the id of an instance, else the name or fingerprint */
export function recordName(kind: RecordKind, key: string): string {
  // A name may be too long for a file, and have any character.
  const part = kind === 'instance' ? key : createHash('sha256').update(key).digest('hex').slice(0, 32);
  return `${kind}-${part}.json`;
}

/** The file with numbers that must not be used twice. */
export const NUMBERS = 'numbers.json';

const OWN_NAME = /^(?:instance-\d+|(?:profile|image|alias)-[0-9a-f]{32}|numbers)\.json(?:\.tmp)?$/;

/** Whether a name is that of a record, or of one whose writing a crash has interrupted. */
export function isOwnName(name: string): boolean {
  return OWN_NAME.test(name);
}

/** The highest numbers that the store has given. */
export interface Numbers {
  readonly lastInstanceId: number;
  readonly position: number;
}
