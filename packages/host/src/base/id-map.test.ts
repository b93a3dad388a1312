import { describe, expect, it } from 'vitest';
import { rootIdOf } from './id-map.ts';

describe('rootIdOf', () => {
  it('finds the id of root on the host', () => {
    expect(rootIdOf('         0    1000000      65536\n')).toBe(1_000_000);
    expect(rootIdOf('  1 5 1\n  0  100000  10\n')).toBe(100_000);
  });

  it('finds none if id 0 is not mapped', () => {
    expect(rootIdOf('  1000  100000  65536\n')).toBeNull();
    expect(rootIdOf('')).toBeNull();
    expect(rootIdOf('  0 5 0\n')).toBeNull();
  });
});
