import { expect, test as it } from 'vitest';
import { drawSession } from './draw.ts';

it('each line appears at its time, behind its prompt, with its signs as text', () => {
  const svg = drawSession([
    { kind: 'host', text: 'porthole list', atMs: 0 },
    { kind: 'output', text: '<a & b>', atMs: 1250 },
  ]);
  expect(svg).toContain('class="host">host# porthole list</text>');
  expect(svg).toMatch(/animation-delay:1\.25s"><text [^>]*>&lt;a &amp; b&gt;<\/text>/);
});

it('a long line goes on below', () => {
  const height = (text: string) =>
    Number(/height="(\d+)"/.exec(drawSession([{ kind: 'output', text, atMs: 0 }]))?.[1]);
  expect(height('x'.repeat(120))).toBe(height('x') + 19);
});
