import { expect, it } from 'vitest';
import { sharedReading } from './shared-reading.ts';

const begun: PromiseWithResolvers<number>[] = [];
const reader = () => {
  begun.length = 0;
  return sharedReading(() => {
    const reading = Promise.withResolvers<number>();
    begun.push(reading);
    return reading.promise;
  });
};
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('calls during a reading share the next reading, and only one reading runs at a time', async () => {
  const read = reader();
  const first = read();
  const [second, third] = [read(), read()];
  await settle();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve(1);
  await settle();
  expect(begun).toHaveLength(2);
  const fourth = read();
  begun[1]?.resolve(2);
  await settle();
  begun[2]?.resolve(3);
  expect(await Promise.all([first, second, third, fourth])).toEqual([1, 2, 2, 3]);
  expect(begun).toHaveLength(3);
});

it('a call after a reading reads again, at once', async () => {
  const read = reader();
  const first = read();
  begun[0]?.resolve(1);
  await first;
  await settle();
  const second = read();
  expect(begun).toHaveLength(2);
  begun[1]?.resolve(2);
  expect(await second).toBe(2);
});

it('a failed reading rejects only the calls that share it', async () => {
  const read = reader();
  const [first, second] = [read(), read()];
  begun[0]?.reject(new Error('no ip'));
  await expect(first).rejects.toThrow('no ip');
  await settle();
  begun[1]?.resolve(2);
  expect(await second).toBe(2);
});
