import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Reboots } from './reboots.ts';

const SOON = 100;
const LATE = 60_000;

describe('reboots', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('wait longer each time they follow a short run, up to a limit', () => {
    const reboots = new Reboots();
    const waits = Array.from({ length: 9 }, () => reboots.waitMs(1, SOON));
    expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 32_000, 32_000]);
  });

  it('of an instance that has run for a while, or of another one, do not wait', () => {
    const reboots = new Reboots();
    for (let count = 0; count < 5; count++) reboots.waitMs(1, SOON);
    expect(reboots.waitMs(2, SOON)).toBe(0);
    expect(reboots.waitMs(1, LATE)).toBe(0);
    expect([reboots.waitMs(1, SOON), reboots.waitMs(1, SOON)]).toEqual([0, 1000]);
  });

  it('of a forgotten instance are counted from zero', () => {
    const reboots = new Reboots();
    for (let count = 0; count < 5; count++) reboots.waitMs(1, SOON);
    reboots.forget(1);
    expect(reboots.waitMs(1, SOON)).toBe(0);
  });

  it('are due when their time is over, and wait until they are taken', () => {
    const reboots = new Reboots();
    const due = vi.fn();
    reboots.wait(1, 1000, due);
    vi.advanceTimersByTime(999);
    expect(due).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(due).toHaveBeenCalledOnce();
    expect([reboots.waits(1), reboots.take(1), reboots.waits(1), reboots.take(1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('are never due if they are taken before, or if the daemon ends', () => {
    const reboots = new Reboots();
    const due = vi.fn();
    reboots.wait(1, 1000, due);
    reboots.take(1);
    reboots.wait(2, 1000, due);
    reboots.stop();
    reboots.wait(3, 1000, due);
    vi.advanceTimersByTime(LATE);
    expect(due).not.toHaveBeenCalled();
    expect([1, 2, 3].map((id) => reboots.waits(id))).toEqual([false, false, false]);
  });
});
