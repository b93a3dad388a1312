import { describe, expect, it } from 'vitest';
import { createLog } from '../base/log.ts';
import { KeyedQueue } from '../model/keyed-queue.ts';
import { Later } from './later.ts';

const log = createLog('silent');

describe('Later', () => {
  it('blocks only the queues of its instances, until it has begun and their work is done', async () => {
    const queue = new KeyedQueue<number>();
    const later = new Later(queue, log);
    const order: string[] = [];
    void later.add(1, async () => void order.push('recovered'));
    const behind = queue.run(1, 'update', () => void order.push('updated'));
    await queue.run(2, 'update', () => void order.push('other'));
    await later.begin();
    await behind;
    expect(order).toEqual(['other', 'recovered', 'updated']);
  });

  it('goes on after a failure', async () => {
    const later = new Later(new KeyedQueue(), log);
    const done: number[] = [];
    void later.add(1, () => Promise.reject(new Error('no')));
    void later.add(2, async () => void done.push(2));
    await later.begin();
    expect(done).toEqual([2]);
  });

  it('does no more work once it is stopped, and frees the queues', async () => {
    const queue = new KeyedQueue<number>();
    const later = new Later(queue, log);
    const done: string[] = [];
    void later.add(1, async () => void done.push('recovered'));
    later.stop();
    await queue.run(1, 'update', () => void done.push('updated'));
    expect(done).toEqual(['updated']);
  });
});
