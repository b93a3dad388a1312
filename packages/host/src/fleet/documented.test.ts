import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../../../../', import.meta.url);

it('each guarantee of the page about fleets names tests that there are', () => {
  const page = readFileSync(new URL('docs/fleets.md', ROOT), 'utf8');
  const table = /^## Guarantees\n(.*?)^## /ms.exec(page)?.[1] ?? '';
  const named = table.split('\n').flatMap((row) =>
    row.split(';').flatMap((part) => {
      const [, file] = /`(packages\/[^`]+\.test\.ts)`/.exec(part) ?? [];
      return file ? [{ file, titles: [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title) }] : [];
    }),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const { file, titles } of named) {
    const text = readFileSync(new URL(file, ROOT), 'utf8');
    for (const title of titles) expect([file, title, text.includes(title)]).toEqual([file, title, true]);
  }
});
