import { describe, expect, it } from 'vitest';
import { filterInSlices, mapInSlices, SLICE, slicesOf } from './slices.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

describe('A list in slices', () => {
  it.each([0, 1, SLICE, SLICE + 1])('of %i items is whole and in order', async (count) => {
    const all = numbers(count);
    expect([...slicesOf(all)].flat()).toEqual(all);
    expect(await mapInSlices(all, (each, index) => each + index)).toEqual(all.map((each) => 2 * each));
    expect(await filterInSlices(all, (each) => each % 2 === 0)).toEqual(all.filter((each) => each % 2 === 0));
  });

  it('lets other work have its turn after each slice', async () => {
    let done = 0;
    const seen: number[] = [];
    const watch = () => {
      seen.push(done);
      if (done < 3 * SLICE) setImmediate(watch);
    };
    setImmediate(watch);
    await mapInSlices(numbers(3 * SLICE), () => void done++);
    expect(seen).toEqual([SLICE, 2 * SLICE]);
  });

  it('ends with the first error', async () => {
    await expect(
      mapInSlices(numbers(3), () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
  });
});
