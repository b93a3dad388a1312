import { describe, expect, it } from 'vitest';
import { Results } from './frame/results.ts';
import { ATTACKS, type Attack } from './neighbours/attacks.ts';
import { neighbourLines } from './neighbours/tables.ts';
import { withBlock } from './report.ts';

describe('a block of the page', () => {
  const page = 'before\n<!-- figures -->\nold\n<!-- /figures -->\nafter';

  it('replaces the block before it and keeps the rest of the page', () => {
    expect(withBlock(page, 'figures', ['new  ', ''])).toBe(
      'before\n<!-- figures -->\n\n```\nnew\n```\n\n<!-- /figures -->\nafter',
    );
  });

  it('needs the marks of its place', () => {
    expect(() => withBlock(page, 'neighbours', [])).toThrow('no place for neighbours');
  });
});

describe('the table of neighbours', () => {
  it('marks a figure that is over its limit, and says that the attack does not hold', () => {
    const results = new Results();
    const [calm, loud] = ATTACKS as [Attack, Attack];
    for (const { name } of [calm, loud]) results.add('neighbour-answers', name, 800);
    results.add('neighbour-fresh-p99', calm.name, 25);
    results.add('neighbour-fresh-p99', loud.name, 26);
    const row = ({ name }: Attack) => neighbourLines(results).find((line) => line.startsWith(`${name} `));
    expect(row(calm)).toMatch(/ 25\.0 .* holds$/);
    expect(row(loud)).toMatch(/ 26\.0 ! .* does not hold$/);
  });
});
