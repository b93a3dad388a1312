import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { interfaceName } from './interface-name.ts';

it('returns the name of an interface, and an empty one for a number that is not in use', () => {
  const index = Number(readFileSync('/sys/class/net/lo/ifindex', 'utf8'));
  expect([interfaceName(index), interfaceName(2 ** 31 - 1)]).toEqual(['lo', '']);
});
