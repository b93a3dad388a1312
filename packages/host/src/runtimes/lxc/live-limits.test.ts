import { expect, it } from 'vitest';
import { holds } from './live-limits.ts';

it.each([
  ['limits.memory', '67108864', '67108864', true],
  ['limits.memory', '98304', '100000', true],
  ['limits.memory', '98304', '131072', false],
  ['limits.memory', 'max', 'max', true],
  ['limits.memory', 'max', '67108864', false],
  ['limits.memory', '9223372036854771712', '-1', true],
  ['limits.memory', '67108864', '-1', false],
  ['limits.processes', '20', '20', true],
  ['limits.processes', 'max', '20', false],
  ['limits.cpu', '0-1', '0,1', true],
  ['limits.cpu', '', '0', false],
  ['limits.cpu', '', '', true],
  ['limits.cpu', '0', '0-0', true],
] as const)('%s in a file that says "%s" holds for "%s": %s', (key, found, text, expected) => {
  expect(holds(key, found, text)).toBe(expected);
});
