import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import { ConsoleInput } from './console-input.ts';

let wait: string | null;
let written: number[];
let dropped: number;
let input: ConsoleInput;

beforeEach(() => {
  vi.useFakeTimers();
  [wait, written, dropped] = [null, [], 0];
  const pty = {
    write: (data: Uint8Array) => {
      written.push(data.length);
      return true;
    },
    onDrain: () => {},
  };
  const drop = () => {
    dropped++;
    wait = null;
  };
  input = new ConsoleInput(pty, { wait: () => wait, drop });
});
afterEach(() => void vi.useRealTimers());

it('passes input on at once, and large input in pieces', () => {
  input.write(Buffer.alloc(3));
  expect(written).toEqual([3]);
  input.write(Buffer.alloc(10_000));
  vi.runAllTimers();
  expect(written).toEqual([3, 4096, 4096, 1808]);
  expect(dropped).toBe(0);
});

it('input waits while the guest does not read, and is dropped after a time limit', () => {
  wait = 'a';
  input.write(Buffer.alloc(5_000));
  vi.advanceTimersByTime(900);
  expect([written, dropped]).toEqual([[], 0]);
  vi.advanceTimersByTime(200);
  expect([written, dropped]).toEqual([[], 1]);
  vi.runAllTimers();
  input.write(Buffer.alloc(1));
  expect([written, dropped]).toEqual([[1], 1]);
});

it('nothing is dropped for a guest that reads slowly', () => {
  wait = '0';
  input.write(Buffer.alloc(5_000));
  for (let turn = 0; turn < 10; turn++) {
    wait = `${turn}`;
    vi.advanceTimersByTime(900);
  }
  wait = null;
  vi.runAllTimers();
  expect([written, dropped]).toEqual([[4096, 904], 0]);
});

it('input already sent when input is dropped is dropped at once', () => {
  wait = 'a';
  input.write(Buffer.alloc(5_000));
  vi.advanceTimersByTime(1_100);
  wait = 'b';
  vi.advanceTimersByTime(20);
  expect(dropped).toBe(2);
});

it('notices that the monitor waits after the last piece', () => {
  input.write(Buffer.alloc(1));
  vi.advanceTimersByTime(400);
  wait = 'a';
  vi.advanceTimersByTime(1_200);
  expect(dropped).toBe(1);
});

it('the writer waits if too much input waits, and gets a drain event when there is room', () => {
  const drained = vi.fn();
  input.onDrain(drained);
  wait = 'a';
  expect(input.write(Buffer.alloc(100_000))).toBe(false);
  vi.advanceTimersByTime(900);
  expect(drained).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(drained).toHaveBeenCalledOnce();
});
