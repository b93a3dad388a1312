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
});
