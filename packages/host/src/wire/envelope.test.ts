import { expect, it } from 'vitest';
import { SLICE } from '../base/slices.ts';
import { listText, syncEnvelope } from './envelope.ts';

const MANY = Array.from({ length: 2 * SLICE + 1 }, (_, number) => ({
  name: `c${number}`,
  description: 'é漢',
}));

it.each([[[]], [[{ a: '[]' }]], [[1, 'two', { three: [] }]], [MANY.slice(0, SLICE)], [MANY]])(
  'the text of a list is that of its answer, also if it is made item by item: %j',
  (items: unknown[]) => {
    const { bytes, pieces } = listText(items.map((item) => JSON.stringify(item)));
    const text = [...pieces].join('');
    expect(text).toBe(JSON.stringify(syncEnvelope(items)));
    expect(bytes).toBe(Buffer.byteLength(text));
  },
);
