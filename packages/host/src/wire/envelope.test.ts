import { expect, it } from 'vitest';
import { listText, syncEnvelope } from './envelope.ts';

it.each([[[]], [[{ a: '[]' }]], [[1, 'two', { three: [] }]]])(
  'the text of a list is that of its answer, also if it is made item by item: %j',
  (items: unknown[]) => {
    expect(listText(items.map((item) => JSON.stringify(item)))).toBe(JSON.stringify(syncEnvelope(items)));
  },
);
