import { describe, expect, it } from 'vitest';
import { Runner } from './runner.ts';

describe('Runner', () => {
  it('does not begin a second piece of work on one key before the first has ended', async () => {
    const runner = new Runner<number>();
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    const first = runner.run(1, 'start', async () => {
      await gate.promise;
      order.push('first');
    });
    const second = runner.run(1, 'stop', () => void order.push('second'));
    await runner.run(2, 'other', () => void order.push('other key'));
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['other key', 'first', 'second']);
  });

  it('goes on after a failure, and tells it only to the one who asked', async () => {
    const runner = new Runner<number>();
    const failing = runner.run(1, 'start', () => Promise.reject(new Error('no')));
    const next = runner.run(1, 'stop', () => 'done');
    await expect(failing).rejects.toThrow('no');
    await expect(next).resolves.toBe('done');
  });

  it('names the work that runs or waits, and nothing once it has ended', async () => {
    const runner = new Runner<number>();
    const gate = Promise.withResolvers<void>();
    const work = [runner.run(1, 'start', () => gate.promise), runner.run(1, 'stop', () => {})];
    expect(runner.labels(1)).toEqual(['start', 'stop']);
    gate.resolve();
    await Promise.all(work);
    expect(runner.labels(1)).toEqual([]);
  });

  it('shows work beside the queue, which does not wait for it', async () => {
    const runner = new Runner<number>();
    const gate = Promise.withResolvers<void>();
    const beside = runner.beside(1, 'stop', () => gate.promise);
    await runner.run(1, 'update', () => {});
    expect(runner.labels(1)).toEqual(['stop']);
    gate.resolve();
    await beside;
    expect(runner.labels(1)).toEqual([]);
    await expect(runner.beside(1, 'stop', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(runner.labels(1)).toEqual([]);
  });
});
