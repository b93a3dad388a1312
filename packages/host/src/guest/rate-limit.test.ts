import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const takes = (limit: RateLimit, instance: number, nowMs: number, times: number) =>
  Array.from({ length: times }, () => limit.take(instance, nowMs)).filter(Boolean).length;

describe('RateLimit', () => {
  it('allows a burst, then one per interval', () => {
    const limit = new RateLimit(3, 100);
    expect(takes(limit, 1, 1000, 5)).toBe(3);
    expect(takes(limit, 1, 1099, 5)).toBe(0);
    expect(takes(limit, 1, 1100, 5)).toBe(1);
    expect(takes(limit, 1, 1350, 5)).toBe(2);
    expect(takes(limit, 1, 9000, 5)).toBe(3);
  });

  it('counts a heavy action as several, and as no more than a whole burst', () => {
    const limit = new RateLimit(3, 100);
    expect(limit.take(1, 1000, 2)).toBe(true);
    expect(limit.take(1, 1000, 2)).toBe(false);
    expect(limit.take(1, 1000)).toBe(true);
    expect(limit.take(1, 1200, 50)).toBe(false);
    expect(limit.take(1, 1300, 50)).toBe(true);
    expect(takes(limit, 1, 1400, 5)).toBe(1);
  });

  it('counts each instance separately', () => {
    const limit = new RateLimit(2, 100);
    expect(takes(limit, 1, 0, 5)).toBe(2);
    expect(takes(limit, 2, 0, 5)).toBe(2);
  });

  it('forgets instances whose allowance is full again', () => {
    const limit = new RateLimit(2, 100);
    for (let instance = 1; instance <= 1000; instance++) limit.take(instance, instance);
    expect(limit.size).toBe(100);
    limit.take(1, 10_000);
    expect(limit.size).toBe(1);
  });
});
