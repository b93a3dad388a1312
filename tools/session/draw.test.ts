import { expect, test as it } from 'vitest';
import { drawSession } from './draw.ts';

it('shows each line at its time, after its prompt, with special characters escaped', () => {
  const svg = drawSession([
    { kind: 'host', text: 'porthole list', atMs: 0 },
    { kind: 'output', text: '<a & b>', atMs: 1250 },
  ]);
  expect(svg).toContain('class="host">host# porthole list</text>');
  expect(svg).toMatch(/animation-delay:1\.25s"><text [^>]*>&lt;a &amp; b&gt;<\/text>/);
});

it('wraps a long line', () => {
  const height = (text: string) =>
    Number(/height="(\d+)"/.exec(drawSession([{ kind: 'output', text, atMs: 0 }]))?.[1]);
  expect(height('x'.repeat(120))).toBe(height('x') + 19);
});
