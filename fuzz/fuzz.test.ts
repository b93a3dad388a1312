// Goal: what made-up input must never do to the daemon, it does not do. Method: all cases of the corpus, and so
// many made from one seed; `npm run fuzz` tries more. Archives, which root unpacks, are tried in packages/host/test.
import { expect, it } from 'vitest';
import { TARGET_NAMES } from './target.ts';
import { shortRun } from './testing/short-run.ts';

it.each(TARGET_NAMES.filter((name) => name !== 'archives'))(
  'holds against the corpus and cases of one seed: %s',
  async (name) => {
    expect(await shortRun(name)).toEqual([]);
  },
  120_000,
);
