import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { addUnconfirmed, collectingUnconfirmed } from './unconfirmed.ts';

it('collects the members of the work that it surrounds, and of no other', async () => {
  const of = (name: string) =>
    collectingUnconfirmed(async () => {
      await sleep(1);
      addUnconfirmed([name, 'z']);
      return name;
    });
  expect(await Promise.all([of('a'), of('b')])).toEqual([
    { result: 'a', unconfirmed: ['a', 'z'] },
    { result: 'b', unconfirmed: ['b', 'z'] },
  ]);
});

it('has an inner collection of its own', async () => {
  const { unconfirmed } = await collectingUnconfirmed(async () => {
    await collectingUnconfirmed(() => addUnconfirmed(['inner']));
    addUnconfirmed(['outer']);
  });
  expect(unconfirmed).toEqual(['outer']);
});

it('is not needed', () => {
  expect(() => addUnconfirmed(['a'])).not.toThrow();
});
