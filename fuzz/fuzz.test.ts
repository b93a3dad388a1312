// Goal: what made-up input must never do to the daemon, it does not do. Method: all cases of the corpus, and so
// many made from one seed; `npm run fuzz` tries more.
import { expect, it } from 'vitest';
import { CORPUS, readCorpus } from './corpus.ts';
import { type Found, Fuzzer } from './fuzzer.ts';
import { KINDS } from './kinds.ts';
import { TARGET_NAMES } from './target.ts';

const SEED = 'npm test';
const corpus = readCorpus(CORPUS);

it.each(TARGET_NAMES)(
  'holds against the corpus and cases of one seed: %s',
  async (name) => {
    const found: Found[] = [];
    const kind = KINDS[name];
    await using fuzzer = await Fuzzer.open(kind, {
      seed: SEED,
      corpus: corpus.filter(({ target }) => target === name),
      onFound: (each) => found.push(each),
    });
    await fuzzer.tryCorpus();
    for (let count = 0; count < kind.shortCases; count++) await fuzzer.step();
    await fuzzer.settle();
    expect(found).toEqual([]);
  },
  120_000,
);
