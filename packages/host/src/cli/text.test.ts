import { expect, test as it } from 'vitest';
import { compareNames, formatBytes, formatMemory, formatTime } from './text.ts';

it('bytes have two decimals and a unit of powers of 1000', () => {
  expect([0, 999, 1000, 1036724, 320e6].map(formatBytes)).toEqual([
    '0B',
    '999B',
    '1.00kB',
    '1.04MB',
    '320.00MB',
  ]);
});

it('memory has a unit of powers of 1024', () => {
  expect([446464, 1024 ** 3].map(formatMemory)).toEqual(['436.00KiB', '1.00GiB']);
});

it('times are in UTC, and "never" is empty', () => {
  expect(formatTime('2026-03-01T13:00:30.123+01:00')).toBe('2026/03/01 12:00 UTC');
  for (const never of ['1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '', 'x'])
    expect(formatTime(never)).toBe('');
});

it('c2 comes before c10', () => {
  expect(['c10', 'c2', 'c1'].sort(compareNames)).toEqual(['c1', 'c2', 'c10']);
});
