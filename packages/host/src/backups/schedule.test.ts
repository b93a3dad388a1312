import { expect, test as it } from 'vitest';
import { firstWait, nextWait } from './schedule.ts';

const NOW = new Date('2026-11-28T20:00:00Z');
const MINUTE = 60_000;
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * MINUTE).toISOString();

it('makes the first copy soon after a start, but not at once', () => {
  expect(firstWait(null, NOW, 60)).toBe(MINUTE / 3);
  expect(firstWait(ago(61), NOW, 60)).toBe(MINUTE / 3);
  expect(firstWait(ago(60 * 24 * 400), NOW, 60)).toBe(MINUTE / 3);
});

it('does not make a copy at each start: the last one counts', () => {
  expect(firstWait(ago(0), NOW, 60)).toBe(60 * MINUTE);
  expect(firstWait(ago(20), NOW, 60)).toBe(40 * MINUTE);
  expect(firstWait(ago(59.75), NOW, 60)).toBe(MINUTE / 3);
});

it('waits for a whole interval if the last copy is of the future', () => {
  expect(firstWait(ago(-60 * 24 * 365), NOW, 60)).toBe(60 * MINUTE);
});

it('tries again earlier after a failure', () => {
  expect(nextWait(false, 60)).toBe(60 * MINUTE);
  expect(nextWait(true, 60)).toBe(10 * MINUTE);
  expect(nextWait(true, 5)).toBe(5 * MINUTE);
});
