import { describe, expect, it } from 'vitest';
import { RevisionBatches } from './revision-batches.ts';
import type { WatchEvent } from './watch-types.ts';

const event = (key: string, modRevision: number): WatchEvent => ({
  type: 'put',
  kv: { key, value: '', createRevision: 1, modRevision, version: 1, lease: '0' },
});

function batches(eventsMax?: number) {
  const told: string[] = [];
  const all = new RevisionBatches((events, revision) => {
    told.push(`${revision}:${events.map(({ kv }) => kv.key).join('')}`);
  }, eventsMax);
  return { all, told };
}

describe('batches of revisions', () => {
  it('are told one by one, though a message has several', () => {
    const { all, told } = batches();
    all.add([event('a', 1), event('b', 1), event('c', 2)], false);
    expect(told).toEqual(['1:ab', '2:c']);
  });

  it('wait for the rest of a revision that was split', () => {
    const { all, told } = batches();
    all.add([event('a', 1), event('b', 2)], true);
    expect(told).toEqual(['1:a']);
    all.add([event('c', 2)], true);
    all.add([event('d', 2), event('e', 3)], false);
    expect(told).toEqual(['1:a', '2:bcd', '3:e']);
  });

  it('are refused over their limit', () => {
    const { all, told } = batches(2);
    all.add([event('a', 1), event('b', 1)], true);
    expect(() => all.add([event('c', 1)], false)).toThrow('one revision has more than 2 events');
    expect(told).toEqual([]);
  });
});
