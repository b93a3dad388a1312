import { describe, expect, it } from 'vitest';
import { RepeatedWork } from './repeated-work.ts';

/** Work whose ends the test decides, in the order of their beginnings. */
function steered() {
  const begun: PromiseWithResolvers<void>[] = [];
  const work = new RepeatedWork(() => {
    const each = Promise.withResolvers<void>();
    begun.push(each);
    return each.promise;
  });
  const finish = async (at: number) => {
    begun[at]?.resolve();
    await settled();
  };
  return { work, begun, finish };
}
/** All that promises set off has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
/** Whether a promise has settled. */
function watched(promise: Promise<void>) {
  const state = { done: false };
  void promise.finally(() => (state.done = true)).catch(() => {});
  return state;
}

describe('Repeated work', () => {
  it('is done once for each time that it is asked for, if it is at rest', async () => {
    const { work, begun, finish } = steered();
    for (const at of [0, 1]) {
      const asked = work.run();
      await finish(at);
      await asked;
    }
    expect(begun).toHaveLength(2);
  });

  it('never overlaps, and is done once more however often it is asked for meanwhile', async () => {
    const { work, begun, finish } = steered();
    const all = [work.run(), work.run(), work.run()].map(watched);
    await settled();
    expect(begun).toHaveLength(1);
    await finish(0);
    expect([begun.length, all.some(({ done }) => done)]).toEqual([2, false]);
    await finish(1);
    expect([begun.length, all.every(({ done }) => done)]).toEqual([2, true]);
  });

  it('is done once more if it is asked for at the moment of its end', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let count = 0;
    const work = new RepeatedWork(() => (++count === 1 ? promise : Promise.resolve()));
    const asked = work.run();
    // Each of them comes one step later after the end.
    let step = promise;
    for (let at = 0; at < 8; at++) step = step.then(() => void work.run());
    resolve();
    await asked;
    await step;
    await settled();
    const before = count;
    await work.run();
    expect(count).toBe(before + 1);
    expect(before).toBeGreaterThan(1);
  });

  it('that fails, fails for all who wait, and begins again when it is asked for again', async () => {
    const { work, begun, finish } = steered();
    const asked = [work.run(), work.run()];
    begun[0]?.reject(new Error('no'));
    for (const each of await Promise.allSettled(asked))
      expect(each).toMatchObject({ status: 'rejected', reason: new Error('no') });
    const again = work.run();
    await settled();
    expect(begun).toHaveLength(2);
    await finish(1);
    await again;
  });
});

describe('The end of repeated work', () => {
  it('comes when the work that is under way has ended; what was asked for besides is not begun', async () => {
    const { work, begun, finish } = steered();
    const asked = [work.run(), work.run()];
    const end = watched(work.end());
    await settled();
    expect(end.done).toBe(false);
    await finish(0);
    await Promise.all(asked);
    expect([end.done, begun.length]).toEqual([true, 1]);
  });

  it('never fails, also if that work does', async () => {
    const { work, begun } = steered();
    const asked = expect(work.run()).rejects.toThrow('no');
    const end = work.end();
    begun[0]?.reject(new Error('no'));
    await end;
    await asked;
  });

  it('leaves nothing to do for those who ask later', async () => {
    const { work, begun } = steered();
    await work.end();
    await work.run();
    expect(begun).toEqual([]);
  });
});
