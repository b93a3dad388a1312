import fc from 'fast-check';
import { describe, expect, test as it } from 'vitest';
import { parseFilter } from './filter.ts';

const instance = {
  name: 'web-1',
  status: 'Running',
  ephemeral: false,
  size: 12,
  config: { 'user.role': 'front end', 'user.a.b': 'c' },
};

const passes = (expression: string) => parseFilter(expression)(instance);

describe('a filter', () => {
  it.each([
    [''],
    ['   '],
    ['status eq running'],
    ['status ne stopped'],
    ['name eq web-.*'],
    ['name eq ^web'],
    ['not name eq web'],
    ['ephemeral eq false'],
    ['size eq 12'],
    ['config.user.role eq "front end"'],
    ['config.user.a.b eq c'],
    ['name eq x or status eq running'],
    ['name eq x and status eq x or name eq web-1'],
    ['name eq "and" or not name eq "or"'],
    ['missing ne x'],
    ['NAME eq x OR name EQ web-1'],
  ])('lets through: %s', (expression) => {
    expect(passes(expression)).toBe(true);
  });

  it.each([
    ['name eq web'],
    ['not status eq running'],
    ['status eq running and name eq x'],
    ['name eq web-1 or status eq running and name eq x'],
    ['missing eq x'],
    ['config eq x'],
    ['config.user eq x'],
    ['name eq ""'],
    ['constructor.name eq Object'],
  ])('holds back: %s', (expression) => {
    expect(passes(expression)).toBe(false);
  });

  it.each([
    ['name'],
    ['name eq'],
    ['not'],
    ['name is x'],
    ['name eq x name eq y'],
    ['name eq x and'],
    ['name eq "x'],
    ['name eq x"y"'],
    ['name "eq" x'],
  ])('is refused: %s', (expression) => {
    expect(() => parseFilter(expression)).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => parseFilter(expression)).toThrow(/^Invalid filter: /);
  });

  it('compares a value as text when it is not a regular expression', () => {
    expect(parseFilter('name eq "a(b"')({ name: 'A(B' })).toBe(true);
  });

  it('finds any quoted value in any field', () => {
    const word = fc.stringMatching(/^[a-z][a-z_.]{0,9}$/);
    fc.assert(
      fc.property(word, fc.string(), (field, value) => {
        const escaped = value.replace(
          /[\\^$.*+?()[\]{}|/-]/g,
          (sign) => `\\x${sign.charCodeAt(0).toString(16)}`,
        );
        const quoted = escaped.replace(/["\\]/g, '\\$&');
        const test = parseFilter(`"${field}" eq "${quoted}"`);
        expect(test({ [field]: value })).toBe(true);
        expect(test({ [field]: `${value}.` })).toBe(false);
      }),
    );
  });

  it('is either understood or refused with 400, for any text', () => {
    const piece = fc.oneof(
      fc.constantFrom('and', 'or', 'not', 'eq', 'ne', '"', '\\', ' ', 'name', '"a b"'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          expect(typeof parseFilter(pieces.join(' '))(instance)).toBe('boolean');
        } catch (error) {
          expect(error).toMatchObject({ status: 400 });
        }
      }),
    );
  });
});
