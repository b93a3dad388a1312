import { expect, test as it } from 'vitest';
import { readAddress } from './address.ts';

it.each([
  ['host-1.example:8443', 'host-1.example', 8443],
  ['192.0.2.1:1', '192.0.2.1', 1],
  ['[2001:db8::1]:65535', '2001:db8::1', 65_535],
])('reads %s', (text, host, port) => {
  expect(readAddress(text)).toEqual({ host, port });
});

it.each([
  '',
  'host',
  'host:',
  ':1',
  'host:0',
  'host:65536',
  'a b:1',
  '::1:1',
  '[x]:1',
  'http://host:1',
  'host:1x',
])('refuses "%s"', (text) => {
  expect(() => readAddress(text)).toThrow('is not HOST:PORT');
});
