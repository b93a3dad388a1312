import { describe, expect, it } from 'vitest';
import { drawSoak, scaleTop } from './draw.ts';
import { sampleAt } from './testing/sample-at.ts';

const plan = { minutes: 30, containers: 50, adopted: 1000, rate: 400, seed: 1 };
const report = {
  plan,
  seconds: 1800,
  restarts: [500, 900],
  samples: [0, 600, 1200, 1800].map((at) => sampleAt(at, { heap: at === 600 ? null : 30 })),
};
const drawn = drawSoak(report);

describe('the picture of a soak', () => {
  it('is a whole SVG with colours for light and dark pages', () => {
    expect(drawn).toMatch(/^<!--.*-->\n<svg [^>]*>/);
    expect(drawn.endsWith('</svg>\n')).toBe(true);
    expect(drawn).toContain('prefers-color-scheme: dark');
    for (const tag of ['g', 'text', 'style', 'title', 'svg'])
      expect(drawn.match(new RegExp(`<${tag}[ >]`, 'g'))?.length).toBe(
        drawn.match(new RegExp(`</${tag}>`, 'g'))?.length,
      );
  });

  it('has every restart in every panel', () => {
    expect(drawn.match(/class="restart"/g)).toHaveLength(2 * 6);
  });

  it('places samples by their time and value', () => {
    // Threads, 13 of a scale up to 4000: just above the ground, from the left edge to the right one.
    expect(drawn).toContain('d="M56.0 173.6 L198.7 173.6 L341.3 173.6 L484.0 173.6"');
  });

  it('interrupts a line where there is no figure', () => {
    expect(drawn).toMatch(/d="M56\.0 [\d.]+ M341\.3 [\d.]+ L484\.0 [\d.]+"/);
  });

  it('can be drawn without any sample', () => {
    expect(drawSoak({ ...report, samples: [] })).not.toMatch(/NaN|Infinity/);
  });
});

it.each([
  [0, 0.01],
  [0.01, 0.01],
  [0.03, 0.04],
  [1, 1],
  [1.1, 2],
  [3, 4],
  [81, 100],
  [150, 200],
])('the scale of %d ends at %d', (value, top) => {
  expect(scaleTop(value)).toBeCloseTo(top, 10);
});
