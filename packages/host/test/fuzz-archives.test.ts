import { expect, it } from 'vitest';
import { shortRun } from '../../../fuzz/testing/short-run.ts';

it('holds against the corpus and cases of one seed: archives', async () => {
  expect(await shortRun('archives')).toEqual([]);
});
