import { expect, it } from 'vitest';
import { shortRun } from '../../../fuzz/testing/short-run.ts';

it('has no findings for the corpus and the cases of one seed: archives', async () => {
  expect(await shortRun('archives')).toEqual([]);
});
