import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawSoak } from './draw.ts';
import { PAGE, PICTURE, RESULTS } from './record.ts';
import { pageLines, type Report } from './report.ts';

const report = JSON.parse(readFileSync(RESULTS, 'utf8')) as Report;

describe('the committed figures of a soak', () => {
  it('are those of the picture', () => {
    expect(readFileSync(PICTURE, 'utf8')).toBe(drawSoak(report));
  });

  it('are those of the page', () => {
    const lines = pageLines(report).map((line) => line.trimEnd());
    expect(readFileSync(PAGE, 'utf8')).toContain(`\n${lines.join('\n').trim()}\n`);
  });

  it('are of a soak whose checks held', () => {
    expect(report.checks.filter(({ holds }) => holds === false)).toEqual([]);
  });
});
