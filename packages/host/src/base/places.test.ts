import { describe, expect, it } from 'vitest';
import { Places } from './places.ts';

describe('Places', () => {
  it('does all work, and never more at a time than there are places', async () => {
    const places = new Places(2);
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    let busy = 0;
    let most = 0;
    const all = gates.map((gate) =>
      places.use(async () => {
        most = Math.max(most, ++busy);
        await gate.promise;
        busy--;
      }),
    );
    for (const gate of gates) gate.resolve();
    await Promise.all(all);
    expect([most, busy]).toEqual([2, 0]);
  });

  it('gives a place back after a failure', async () => {
    const places = new Places(1);
    await expect(places.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(places.use(async () => 'done')).resolves.toBe('done');
  });
});
