import { expect, it } from 'vitest';
import type { InstanceStateJson } from '../wire/instance.ts';
import { describeInstance } from './info-text.ts';
import { fakeInstance } from './testing/fake-instance.ts';

const STORM =
  'its weight on busy processors is 5 % of the usual one until it no longer begins thousands of processes a second';

it.each<[Partial<InstanceStateJson>, string[]]>([
  [{}, []],
  [{ lowered_weight: 5 }, [`Fork storm: ${STORM}`]],
])('`porthole info` tells of a fork storm while there is one: %j', (part, told) => {
  const { state } = fakeInstance();
  const text = describeInstance(fakeInstance({ state: state && { ...state, ...part } }));
  expect(text.split('\n').filter((line) => line.includes('torm'))).toEqual(told);
});

it('a stopped instance has no fork storm', () => {
  expect(describeInstance(fakeInstance({ state: null }))).not.toContain('storm');
});
