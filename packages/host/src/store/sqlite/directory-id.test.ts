import { describe, expect, it } from 'vitest';
import { type DatabaseFacts, type DirectoryFacts, idOf, judgeDirectory } from './directory-id.ts';

const OURS = 'a'.repeat(32);
const OTHER = 'b'.repeat(32);
const FRESH = 'c'.repeat(32);

const paths = { database: '/state/porthole.db', id: '/state/id' };
const NONE: DatabaseFacts = { kind: 'none' };
const own = (id: string | null): DatabaseFacts => ({ kind: 'own', id });

const judge = (facts: Partial<DirectoryFacts>, database: DatabaseFacts) =>
  judgeDirectory({ paths, id: null, pending: null, hasContent: false, ...facts }, database, () => FRESH);

describe('a state directory', () => {
  it.each([
    ['is new', {}, NONE, FRESH, false],
    ['is new, and its first start was cut off before its database', { pending: OURS }, NONE, OURS, false],
    ['was cut off before its database got the id', { pending: OURS }, own(null), OURS, false],
    ['was cut off before its file was in place', { pending: OURS, hasContent: true }, own(OURS), OURS, false],
    ['is of an earlier version', { hasContent: true }, own(null), FRESH, false],
    ['has lost its id and holds nothing', {}, own(OURS), OURS, false],
    ['carries the id of its database', { id: OURS, hasContent: true }, own(OURS), OURS, true],
  ] as const)('that %s is accepted', (_, facts, database, id, settled) => {
    expect(judge(facts, database)).toEqual({ id, settled });
  });

  it.each([
    ['without its database', { id: OURS }, NONE, /porthole\.db is missing or empty.*run `portholed recover`/],
    ['with files but no database', { hasContent: true }, NONE, /missing or empty/],
    ['with the database of another program', {}, { kind: 'other' }, /not a database of Porthole/],
    ['with the database of another directory', { id: OURS }, own(OTHER), /belongs to.*bbb.*has id aaa/],
    ['with a database without id', { id: OURS, hasContent: true }, own(null), /remove \/state\/id/],
    ['with files but without id', { hasContent: true }, own(OTHER), /write b{32} into \/state\/id/],
    ['with another id on its way', { pending: OURS, hasContent: true }, own(OTHER), /write b{32} into/],
    ['with an id that is none', { id: '', hasContent: true }, own(OURS), /write a{32} into/],
  ] as const)('%s is refused in one sentence that says what to do', (_, facts, database, sentence) => {
    expect(() => judge(facts, database as DatabaseFacts)).toThrow(sentence);
  });

  it('has an id of 32 hexadecimal digits', () => {
    expect(idOf(`${OURS}\n`)).toBe(OURS);
    for (const text of ['', 'x', `${OURS}0`, OURS.toUpperCase()]) expect(idOf(text)).toBe('');
  });
});
