import { describe, expect, it } from 'vitest';
import type { SharedChange } from '../core/shared.ts';
import { FleetKeys } from '../store/etcd/fleet-keys.ts';
import { planOf } from '../store/etcd/transaction.ts';
import { chunksOf, usesOf } from './uploads.ts';

const KEYS = new FleetKeys('/porthole/');

const instance = (number: number, profiles: string[], config = {}): SharedChange => {
  const texts = { name: `c${number}`, architecture: 'x86_64', description: '', createdAt: '', member: 'a' };
  return {
    kind: 'put-instance',
    instance: { id: number, ephemeral: false, devices: {}, ...texts, profiles, config },
  };
};

/** Makes the commits as they go to etcd, which refuses large ones. */
function plan(changes: readonly SharedChange[]): number {
  const chunks = chunksOf(changes);
  for (const each of chunks)
    planOf({ changes: each, based: 0, same: [], uses: usesOf(each), unused: [], apply: () => {} }, KEYS);
  expect(chunks.flat()).toEqual(changes);
  return chunks.length;
}

const numbers = Array.from({ length: 40 }, (_, number) => number);

describe('What a host brings fits into commits', () => {
  it('if it is as usual', () => {
    expect(plan(numbers.map((number) => instance(number, ['default'])))).toBe(2);
    expect(plan([])).toBe(0);
  });

  it('if each instance has profiles of its own', () => {
    const own = (number: number) => numbers.slice(0, 9).map((at) => `p${number}-${at}`);
    expect(plan(numbers.map((number) => instance(number, own(number))))).toBe(4);
  });

  it('if instances have long values', () => {
    const config = { 'user.long': 'x'.repeat(300_000) };
    expect(plan(numbers.map((number) => instance(number, ['default'], config)))).toBe(14);
  });
});
