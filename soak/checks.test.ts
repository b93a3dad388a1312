import { describe, expect, it } from 'vitest';
import { checkLines, checksOf, momentsOf, type Observed, WAL_MIB_MAX } from './checks.ts';
import { sampleAt } from './testing/sample-at.ts';

const NONE = { count: 0, kept: [] };
const MINUTES_30 = 1800;
const SAMPLES = 360;

/** A soak of half an hour with nothing wrong, whose memory is as given at each second. */
function observed(pss: (at: number) => number, seconds = MINUTES_30): Observed {
  const samples = Array.from({ length: SAMPLES }, (_, index) => {
    const at = (index * seconds) / SAMPLES;
    return sampleAt(at, { pss: pss(at) });
  });
  return {
    seconds,
    samples,
    restarts: [500, 880].map((at) => (at * seconds) / MINUTES_30),
    before: { files: 3000, threads: 13 },
    after: { files: 3000, threads: 13 },
    faults: { errors: NONE, wrong: NONE, failed: NONE, behind: NONE, left: NONE },
  };
}
const flat = observed(() => 150);
const failing = (some: Observed) =>
  checksOf(some).flatMap(({ name, holds }) => (holds === false ? [name] : []));

describe('the checks of a soak', () => {
  it('all hold for a daemon that stays as it was', () => {
    expect(failing(flat)).toEqual([]);
    expect(checksOf(flat).map(({ holds }) => holds)).not.toContain(null);
  });

  it('take the memory of a minute after the first five, of one after the last restart, and of the last', () => {
    expect(momentsOf(flat)).toEqual({ warm: [300, 360], warmAgain: [1180, 1240], end: [1740, 1800] });
  });

  it('fail for memory that grows by a tenth since the first five minutes', () => {
    expect(failing(observed((at) => (at < 600 ? 150 : 166)))).toEqual([
      'memory at the end, against that after the first sixth of the time',
    ]);
    expect(failing(observed((at) => (at < 600 ? 150 : 164)))).toEqual([]);
  });

  it('fail for memory that grows after the last restart, also when it had shrunk before', () => {
    const found = failing(observed((at) => (at < 500 ? 150 : 100 + (at - 880) / 20)));
    expect(found).toEqual(['memory at the end, against that a sixth after the last restart']);
  });

  it('fail for memory that shrinks by more than a tenth: then it was not measured at rest', () => {
    expect(failing(observed((at) => (at < 600 ? 150 : 130)))).toHaveLength(1);
  });

  it('do not judge the memory of a soak that is too short, but show it', () => {
    const found = checksOf(observed((at) => at, 90));
    expect(found.slice(0, 2).map(({ holds }) => holds)).toEqual([null, null]);
    expect(found[0]?.figure).toContain('MiB');
  });

  it('fail when there is no sample of one of the moments', () => {
    expect(failing({ ...flat, samples: flat.samples.slice(0, 100) })).toHaveLength(2);
  });

  it.each([
    ['one descriptor more', { after: { files: 3001, threads: 13 } }, 'descriptors'],
    ['one thread more', { after: { files: 3000, threads: 14 } }, 'threads'],
    [
      'a log that grew too large',
      { samples: [...flat.samples, sampleAt(1801, { wal: WAL_MIB_MAX + 1 })] },
      'log',
    ],
  ])('fail for %s', (_, part, named) => {
    expect(failing({ ...flat, ...part })).toEqual([expect.stringContaining(named)]);
  });

  it('do not fail for fewer descriptors', () => {
    expect(failing({ ...flat, after: { files: 2990, threads: 12 } })).toEqual([]);
  });

  it.each(['errors', 'wrong', 'failed', 'behind', 'left'] as const)('fail for %s, and show them', (fault) => {
    const faults = { ...flat.faults, [fault]: { count: 2, kept: ['this one', 'and that one'] } };
    expect(failing({ ...flat, faults })).toHaveLength(1);
    const lines = checkLines(checksOf({ ...flat, faults }));
    expect(lines.filter((line) => line.startsWith('FAILS'))).toHaveLength(1);
    expect(lines).toContain('    and that one');
  });
});
