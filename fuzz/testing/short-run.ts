import { CORPUS, readCorpus } from '../corpus.ts';
import { type Found, Fuzzer } from '../fuzzer.ts';
import { KINDS } from '../kinds.ts';
import type { TargetName } from '../target.ts';

const SEED = 'npm test';

/** Tries a target with its corpus and with `shortCases` cases of one seed. @returns the findings */
export async function shortRun(name: TargetName): Promise<Found[]> {
  const found: Found[] = [];
  const kind = KINDS[name];
  await using fuzzer = await Fuzzer.open(kind, {
    seed: SEED,
    corpus: readCorpus(CORPUS).filter(({ target }) => target === name),
    onFound: (each) => found.push(each),
  });
  await fuzzer.tryCorpus();
  for (let count = 0; count < kind.shortCases; count++) await fuzzer.step();
  await fuzzer.settle();
  return found;
}
