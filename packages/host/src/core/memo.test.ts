import { expect, it } from 'vitest';
import { remembering } from './memo.ts';

it('remembers only the newest results', () => {
  const worked: string[] = [];
  const upper = remembering((text) => {
    worked.push(text);
    return text.toUpperCase();
  }, 2);
  expect(['a', 'a', 'b', 'c', 'b', 'a'].map(upper)).toEqual(['A', 'A', 'B', 'C', 'B', 'A']);
  expect(worked).toEqual(['a', 'b', 'c', 'a']);
});
