import { describe, expect, it } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

describe('KeyedQueue', () => {
  it('does not begin a second piece of work on one key before the first has ended', async () => {
    const queue = new KeyedQueue<number>();
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    const first = queue.run(1, 'start', async () => {
      await gate.promise;
      order.push('first');
    });
    const second = queue.run(1, 'stop', () => void order.push('second'));
    await queue.run(2, 'other', () => void order.push('other key'));
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['other key', 'first', 'second']);
  });

  it('goes on after a failure, and reports it only for the work that failed', async () => {
    const queue = new KeyedQueue<number>();
    const failing = queue.run(1, 'start', () => Promise.reject(new Error('no')));
    const next = queue.run(1, 'stop', () => 'done');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('lists the labels of work until it has ended', async () => {
    const queue = new KeyedQueue<number>();
    const gate = Promise.withResolvers<void>();
    const work = [queue.run(1, 'start', () => gate.promise), queue.run(1, 'stop', () => {})];
    expect(queue.labels(1)).toEqual(['start', 'stop']);
    gate.resolve();
    await Promise.all(work);
    expect(queue.labels(1)).toEqual([]);
  });

  it('lists the labels of work outside the queue, but does not wait for it', async () => {
    const queue = new KeyedQueue<number>();
    const gate = Promise.withResolvers<void>();
    const beside = queue.beside(1, 'stop', () => gate.promise);
    await queue.run(1, 'update', () => {});
    expect(queue.labels(1)).toEqual(['stop']);
    gate.resolve();
    await beside;
    expect(queue.labels(1)).toEqual([]);
    await expect(queue.beside(1, 'stop', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(queue.labels(1)).toEqual([]);
  });

  it('waits for the work under many keys before it takes any of them', async () => {
    const queue = new KeyedQueue<number>();
    const [busy, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const order: string[] = [];
    const before = queue.run(1, 'start', () => busy.promise);
    const begun = Promise.withResolvers<void>();
    const all = queue.runAll(new Set([1, 2]), 'update', async () => {
      order.push('all');
      begun.resolve();
      await gate.promise;
    });
    await queue.run(2, 'stop', () => void order.push('meanwhile'));
    busy.resolve();
    await Promise.all([before, begun.promise]);
    const later = queue.run(2, 'stop', () => void order.push('later'));
    await new Promise(setImmediate);
    expect(order).toEqual(['meanwhile', 'all']);
    gate.resolve();
    await Promise.all([all, later]);
    expect(order).toEqual(['meanwhile', 'all', 'later']);
    expect([queue.labels(1), queue.labels(2)]).toEqual([[], []]);
  });

  it('does two pieces of work under many keys one after the other, in any order of the keys', async () => {
    const queue = new KeyedQueue<number>();
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise(setImmediate);
      order.push(`${name} ends`);
    };
    const failing = queue.runAll(new Set([2, 1]), 'update', () => Promise.reject(new Error('no')));
    const all = [
      queue.runAll(new Set([1, 2]), 'update', work('one')),
      queue.runAll(new Set([2, 1]), 'update', work('two')),
    ];
    await expect(failing).rejects.toThrow('no');
    await Promise.all(all);
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  });
});
