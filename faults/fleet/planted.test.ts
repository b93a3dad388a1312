import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { PLANTED } from './planted.ts';

it.each(PLANTED.map((planted) => [planted.name, planted] as const))(
  'the code has the places for: %s',
  (_, { edits }) => {
    for (const { file, from } of edits) {
      const text = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
      expect(text.split(from), file).toHaveLength(2);
    }
  },
);
