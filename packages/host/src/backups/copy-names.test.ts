import { expect, test as it } from 'vitest';
import { copiesAmong, copyName, excessAmong, isPart, partName, timeOf } from './copy-names.ts';

const ID = '0123456789abcdef0123456789abcdef';
const OTHER = `f${ID.slice(1)}`;
const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 20, minute));
const name = (minute: number, id = ID) => copyName(id, at(minute));

it('has the directory and the time in the name', () => {
  expect(name(5)).toBe('porthole-0123456789ab-20261128T200500000Z.db');
  expect(timeOf(name(5), ID)).toBe('2026-11-28T20:05:00.000Z');
});

it.each([
  'porthole.db',
  name(5, OTHER),
  `${name(5)}.part`,
  `.${name(5)}.part`,
  `${name(5)}-wal`,
  `a${name(5)}`,
  name(5).replace('T', ' '),
  '',
])('takes no other file for a copy of this directory: %s', (other) => {
  expect(timeOf(other, ID)).toBeNull();
  expect(excessAmong([other, name(1), name(2)], ID, 1, name(2))).toEqual([name(1)]);
});

it('recognises what is left of an unfinished copy, of this directory only', () => {
  expect(isPart(partName(name(5)), ID)).toBe(true);
  for (const other of [partName(name(5, OTHER)), name(5), '.x.part', '.part'])
    expect(isPart(other, ID)).toBe(false);
});

it('lists copies, the newest first', () => {
  expect(copiesAmong([name(1), 'x', name(3), name(2)], ID)).toEqual([name(3), name(2), name(1)]);
});

it('removes the oldest copies beyond the number', () => {
  const names = [1, 2, 3, 4, 5].map((minute) => name(minute));
  expect(excessAmong(names, ID, 3, name(5))).toEqual([name(2), name(1)]);
  expect(excessAmong(names, ID, 5, name(5))).toEqual([]);
  expect(excessAmong(names, ID, 1, name(5))).toEqual([name(4), name(3), name(2), name(1)]);
});

it('keeps the copy just made also if the clock was set back', () => {
  const names = [1, 7, 8, 9].map((minute) => name(minute));
  expect(excessAmong(names, ID, 2, name(1))).toEqual([name(8), name(7)]);
});
