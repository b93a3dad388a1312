import { createHash } from 'node:crypto';

/** The kinds of objects that have a record. */
export type RecordKind = 'instance' | 'profile' | 'image' | 'alias';

/** What identifies an object in the names of records: an instance's id, else its name or fingerprint. */
export function recordName(kind: RecordKind, key: string): string {
  // Names may be long and have any character.
  const part = kind === 'instance' ? key : createHash('sha256').update(key).digest('hex').slice(0, 32);
  return `${kind}-${part}.json`;
}

/** The file with the numbers that are never given again. */
export const NUMBERS = 'numbers.json';

const OWN_NAME = /^(?:instance-\d+|(?:profile|image|alias)-[0-9a-f]{32}|numbers)\.json(?:\.tmp)?$/;

/** Whether a name is that of a record, or of one whose writing was cut off. */
export function isOwnName(name: string): boolean {
  return OWN_NAME.test(name);
}

/** Numbers that the store has given so far. */
export interface Numbers {
  readonly lastInstanceId: number;
  readonly position: number;
}
