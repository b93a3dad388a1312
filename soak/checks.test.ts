import { describe, expect, it } from 'vitest';
import { checkLines, checksOf, type Observed, WAL_MIB_MAX } from './checks.ts';
import { sampleAt } from './testing/sample-at.ts';

const NONE = { count: 0, kept: [] };
const HELD = { sockets: 1000, pidfds: 2000, others: 30, threads: 13 };
const MINUTES_30 = 1800;

/** A soak of half an hour with nothing wrong. */
const flat: Observed = {
  seconds: MINUTES_30,
  samples: [sampleAt(5), sampleAt(10)],
  restarts: [500, 880],
  memory: { warm: { pss: 150, heap: 30 }, warmAgain: { pss: 150, heap: 30 }, end: { pss: 150, heap: 30 } },
  before: HELD,
  after: HELD,
  faults: { errors: NONE, wrong: NONE, failed: NONE, behind: NONE, left: NONE },
};
const withEnd = (pss: number, heap: number): Observed => ({
  ...flat,
  memory: { ...flat.memory, end: { pss, heap } },
});
const failing = (some: Observed) =>
  checksOf(some).flatMap(({ name, holds }) => (holds === false ? [name] : []));

describe('the checks of a soak', () => {
  it('all hold for a daemon that stays as it was', () => {
    expect(failing(flat)).toEqual([]);
    expect(checksOf(flat).map(({ holds }) => holds)).not.toContain(null);
  });

  it('fail for memory that has grown by more than a tenth', () => {
    expect(failing(withEnd(164, 32.9))).toEqual([]);
    expect(failing(withEnd(166, 32.9))).toEqual([
      'memory at the end, compared with its size after the first sixth of the time',
      'memory at the end, compared with its size a sixth of the time after the last restart',
    ]);
    expect(failing(withEnd(164, 34))).toEqual([
      "the main thread's heap at the end, compared with its size after the first sixth of the time",
      "the main thread's heap at the end, compared with its size a sixth of the time after the last restart",
    ]);
  });

  it('compare with both moments', () => {
    const memory = { ...flat.memory, warmAgain: { pss: 120, heap: 30 } };
    expect(failing({ ...flat, memory })).toEqual([
      'memory at the end, compared with its size a sixth of the time after the last restart',
    ]);
  });

  it('do not fail for memory that has shrunk', () => {
    expect(failing(withEnd(90, 10))).toEqual([]);
  });

  it('do not judge the memory of a soak that is too short, but show it', () => {
    const found = checksOf({ ...withEnd(300, 90), seconds: 90 }).slice(0, 4);
    expect(found.map(({ holds }) => holds)).toEqual([null, null, null, null]);
    expect(found[0]?.figure).toBe('150.0 MiB, then 300.0 MiB: +100.0 %');
  });

  it.each([
    ['one socket more', { after: { ...HELD, sockets: 1001 } }, 'sockets'],
    ['one pidfd more', { after: { ...HELD, pidfds: 2001 } }, 'pidfds'],
    ['one file more', { after: { ...HELD, others: 31 } }, 'other descriptors'],
    ['one thread more', { after: { ...HELD, threads: 14 } }, 'threads'],
    [
      'a log that grew too large',
      { samples: [...flat.samples, sampleAt(1801, { wal: WAL_MIB_MAX + 1 })] },
      'log',
    ],
  ])('fail for %s', (_, part, named) => {
    expect(failing({ ...flat, ...part })).toEqual([expect.stringContaining(named)]);
  });

  it('do not fail for fewer descriptors', () => {
    expect(failing({ ...flat, after: { sockets: 990, pidfds: 1500, others: 29, threads: 12 } })).toEqual([]);
  });

  it.each(['errors', 'wrong', 'failed', 'behind', 'left'] as const)('fail for %s, and show them', (fault) => {
    const faults = { ...flat.faults, [fault]: { count: 2, kept: ['this one', 'and that one'] } };
    expect(failing({ ...flat, faults })).toHaveLength(1);
    const lines = checkLines(checksOf({ ...flat, faults }));
    expect(lines.filter((line) => line.startsWith('FAILS'))).toHaveLength(1);
    expect(lines).toContain('    and that one');
  });
});
