import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { interfaceName } from './interface-name.ts';

it('names an interface by its number, and none that is not there', () => {
  const index = Number(readFileSync('/sys/class/net/lo/ifindex', 'utf8'));
  expect([interfaceName(index), interfaceName(2 ** 31 - 1)]).toEqual(['lo', '']);
});
