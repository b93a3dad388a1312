import { describe, expect, it } from 'vitest';
import { rootUidOf, rootUidOfMap } from './proc.ts';

describe('rootUidOfMap', () => {
  it('finds the host uid of uid 0', () => {
    expect(rootUidOfMap('         0    1000000      65536\n')).toBe(1_000_000);
    expect(rootUidOfMap('  1 5 1\n  0  100000  10\n')).toBe(100_000);
  });

  it('finds none if uid 0 is not mapped', () => {
    expect(rootUidOfMap('  1000  100000  65536\n')).toBeNull();
    expect(rootUidOfMap('')).toBeNull();
    expect(rootUidOfMap('  0 5 0\n')).toBeNull();
  });
});

describe('rootUidOf', () => {
  it('returns null for a process that does not exist', () => {
    expect(rootUidOf(2 ** 22 + 1)).toBeNull();
  });
});
