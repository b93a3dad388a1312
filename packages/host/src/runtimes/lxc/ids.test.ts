import { describe, expect, it } from 'vitest';
import { firstRange } from './ids.ts';

describe('firstRange', () => {
  it("finds root's first range that holds a whole instance", () => {
    expect(firstRange('me:100000:65536\nroot:200000:1000\nroot:300000:65536\n')).toBe(300_000);
    expect(firstRange('0:500000:1000000\n')).toBe(500_000);
  });

  it('finds none in a text without one', () => {
    expect(firstRange('')).toBeNull();
    expect(firstRange('root:abc:def\nme:1:99999999\n')).toBeNull();
  });
});
