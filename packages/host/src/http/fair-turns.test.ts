import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FairTurns, SLICE_US } from './fair-turns.ts';
import { LeastFirst } from './least-first.ts';

/** A thread whose time passes only while it works, with a list of the work done. */
class Thread {
  readonly done: string[] = [];
  readonly turns: FairTurns;
  readonly failures: unknown[] = [];
  #us = 0;
  readonly #planned: (() => void)[] = [];

  constructor() {
    this.turns = new FairTurns((error) => void this.failures.push(error), {
      nowMs: () => this.#us / 1000,
      later: (callback) => void this.#planned.push(callback),
    });
  }

  add(key: string, costUs: number, then = () => {}): void {
    this.turns.add(key, () => {
      this.#us += costUs;
      this.done.push(key);
      then();
    });
  }

  /** Work without end, in pieces of `costUs`. */
  keepBusy(key: string, costUs: number): void {
    this.add(key, costUs, () => this.keepBusy(key, costUs));
  }

  /** One turn of the event loop. */
  turn(): void {
    for (const callback of this.#planned.splice(0)) callback();
  }

  /** The time that each key has used. */
  shares(costsUs: Readonly<Record<string, number>>): Record<string, number> {
    return Object.fromEntries(
      Object.entries(costsUs).map(([key, cost]) => [
        key,
        cost * this.done.filter((each) => each === key).length,
      ]),
    );
  }
}

it('does work at once while no key waits', () => {
  const thread = new Thread();
  thread.add('a', 100);
  thread.add('b', 100);
  expect(thread.done).toEqual(['a', 'b']);
});

it('ends a turn of the event loop when its slice is used up, and goes on in the next turn', () => {
  const thread = new Thread();
  thread.keepBusy('a', SLICE_US / 4);
  expect(thread.done).toHaveLength(4);
  thread.add('b', 1);
  expect(thread.done).not.toContain('b');
  thread.turn();
  expect(thread.done[4]).toBe('b');
  expect(thread.done).toHaveLength(4 + 1 + 4);
});

it('does the work of one key in order', () => {
  const thread = new Thread();
  const order: number[] = [];
  thread.keepBusy('others', SLICE_US);
  for (let each = 0; each < 5; each++) thread.turns.add('a', () => void order.push(each));
  while (order.length < 5) thread.turn();
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

it('serves a key with little work before one with much work that came first', () => {
  const thread = new Thread();
  for (let each = 0; each < 500; each++) thread.add('greedy', 500);
  thread.add('modest', 50);
  thread.turn();
  expect(thread.done.indexOf('modest')).toBeLessThan(6);
});

it('shares time, not pieces, among keys that always have work', () => {
  const thread = new Thread();
  const costs = { slow: 1000, middle: 200, quick: 10 };
  for (const [key, cost] of Object.entries(costs)) thread.keepBusy(key, cost);
  for (let each = 0; each < 300; each++) thread.turn();
  const shares = Object.values(thread.shares(costs));
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3 * SLICE_US);
});

it('does not let a key save up idle time', () => {
  const thread = new Thread();
  const costs = { always: 100, late: 100 };
  thread.keepBusy('always', costs.always);
  for (let each = 0; each < 100; each++) thread.turn();
  thread.done.length = 0;
  thread.keepBusy('late', costs.late);
  for (let each = 0; each < 100; each++) thread.turn();
  const { always, late } = thread.shares(costs);
  expect(Math.abs(always! - late!)).toBeLessThanOrEqual(2 * SLICE_US);
});

it('remembers the time of a key that pauses after each piece', () => {
  const thread = new Thread();
  const costs = { pausing: 1000, always: 100 };
  thread.keepBusy('always', costs.always);
  for (let each = 0; each < 200; each++) {
    thread.add('pausing', costs.pausing);
    thread.turn();
  }
  const { pausing, always } = thread.shares(costs);
  expect(pausing! / always!).toBeLessThan(1.2);
});

it('forgets all keys when none waits, and idle keys also while others wait', () => {
  const thread = new Thread();
  for (let each = 0; each < 1000; each++) thread.add(`k${each}`, 10);
  while (thread.done.length < 1000) thread.turn();
  expect(thread.turns.size).toBe(0);
  thread.keepBusy('always', 100);
  for (let each = 0; each < 5000; each++) {
    thread.add(`k${each}`, 10);
    thread.turn();
  }
  expect(thread.turns.size).toBeLessThan(300);
});

it('tells when all work that waited has been done, even if more comes later', async () => {
  const thread = new Thread();
  thread.keepBusy('a', SLICE_US);
  thread.add('b', SLICE_US);
  let settled = false;
  void thread.turns.settled().then(() => {
    settled = true;
  });
  await Promise.resolve();
  expect(settled).toBe(false);
  for (let each = 0; each < 4; each++) thread.turn();
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(true);
});

it('goes on after work that throws', () => {
  const thread = new Thread();
  thread.turns.add('a', () => {
    throw 'broken';
  });
  expect(thread.failures).toEqual(['broken']);
  thread.add('b', 1);
  expect(thread.done).toEqual(['b']);
});

it('gives the least item first, in any order of steps', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer()), { maxLength: 200 }), (steps) => {
      const heap = new LeastFirst<{ rank: number }>();
      const sorted: number[] = [];
      for (const step of steps) {
        if (step === null) expect(heap.pop()?.rank).toBe(sorted.shift());
        else {
          heap.push({ rank: step });
          sorted.push(step);
          sorted.sort((a, b) => a - b);
        }
      }
      expect(heap.size).toBe(sorted.length);
    }),
  );
});
