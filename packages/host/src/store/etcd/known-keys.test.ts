import { describe, expect, it } from 'vitest';
import type { WatchEvent } from '../../etcd/watch-types.ts';
import { KnownKeys } from './known-keys.ts';

const kv = (key: string, modRevision: number) => ({
  ...{ key, value: '', createRevision: 1, modRevision, version: 1, lease: '0' },
});
const put = (key: string, revision: number): WatchEvent => ({ type: 'put', kv: kv(key, revision) });
const drop = (key: string, revision: number): WatchEvent => ({ type: 'delete', kv: kv(key, revision) });

describe('KnownKeys', () => {
  it('knows after a load where each key was changed, and that others do not exist', () => {
    const known = new KnownKeys();
    known.load([kv('a', 3)], 10);
    expect([known.at('a', 10), known.at('b', 10)]).toEqual([3, 0]);
  });

  it('does not know what existed before the load, or before a deletion', () => {
    const known = new KnownKeys();
    known.load([kv('a', 3)], 10);
    known.take([drop('a', 12)], 12);
    expect([known.at('a', 9), known.at('a', 11), known.at('b', 11), known.at('a', 12)]).toEqual([
      'unknown',
      'unknown',
      'unknown',
      0,
    ]);
  });

  it('sees that a key was changed since', () => {
    const known = new KnownKeys();
    known.load([kv('a', 3)], 10);
    known.take([put('a', 11), put('b', 11)], 11);
    expect([known.at('a', 10), known.at('b', 10), known.at('a', 11)]).toEqual([
      'changed-since',
      'changed-since',
      11,
    ]);
  });

  it('does not go back when events are older than what was loaded', () => {
    const known = new KnownKeys();
    known.load([kv('a', 9)], 10);
    known.take([drop('a', 5)], 5);
    known.take([put('a', 6)], 6);
    expect(known.at('a', 10)).toBe(9);
  });

  it('without a load knows only what it has seen or learned', () => {
    const known = new KnownKeys();
    expect(known.at('a', 10)).toBe('unknown');
    known.learn(kv('a', 3), 10);
    expect([known.at('a', 10), known.at('b', 10)]).toEqual([3, 'unknown']);
    known.take([drop('a', 11)], 11);
    expect(known.at('a', 11)).toBe('unknown');
    // What was read before the deletion is not learned any more.
    known.learn(kv('a', 3), 10);
    expect(known.at('a', 11)).toBe('unknown');
  });
});
