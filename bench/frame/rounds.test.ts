import { describe, expect, it } from 'vitest';
import { interleave } from './rounds.ts';

describe('interleaved rounds', () => {
  it('measure every subject once a round after a warm-up, and start each round with another subject', async () => {
    const seen: string[] = [];
    const measure = async (subject: string, round: number) => void seen.push(`${subject}${round}`);
    await interleave(['a', 'b', 'c'], 3, measure, async (subject) => void seen.push(subject));
    expect(seen.join(' ')).toBe('a b c a0 b0 c0 b1 c1 a1 c2 a2 b2');
  });

  it('end with the first measurement that fails', async () => {
    const seen: string[] = [];
    const measure = async (subject: string) => {
      seen.push(subject);
      if (subject === 'b') throw new Error('b is gone');
    };
    await expect(interleave(['a', 'b', 'c'], 2, measure)).rejects.toThrow('b is gone');
    expect(seen).toEqual(['a', 'b']);
  });
});
