// Goal: made-up input does no harm to the daemon. Method: all cases of the corpus, and a fixed number of
// cases from one seed; `npm run fuzz` tries more. Archives, which root unpacks, are tried in
// packages/host/test.
import { expect, it } from 'vitest';
import { TARGET_NAMES } from './target.ts';
import { shortRun } from './testing/short-run.ts';

it.each(TARGET_NAMES.filter((name) => name !== 'archives'))(
  'has no findings for the corpus and the cases of one seed: %s',
  async (name) => {
    expect(await shortRun(name)).toEqual([]);
  },
  120_000,
);
