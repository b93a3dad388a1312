import { expect, test as it } from 'vitest';
import type { Io } from './io.ts';
import { buildProgram } from './program/whole-program.ts';
import { understand } from './words.ts';

const program = buildProgram(
  { stdout: {}, stderr: {} } as Io,
  () => {
    throw new Error('nothing is done here');
  },
  { busybox: () => Promise.reject(new Error('nothing is built here')) },
);

const understood = (line: string) => understand(program, line.split(' ')).join(' ');

it.each([
  ['ps -f csv', 'list -f csv'],
  ['-q images --format json', '-q image list --format json'],
  ['events --pretty', 'monitor --pretty'],
  ['help ps', 'help list'],
  ['file push ps c1/x', 'file push ps c1/x'],
])('a word of another program is one of ours: %s', (line, ours) => {
  expect(understood(line)).toBe(ours);
});

it.each([
  ['exec c1 ls -la', 'exec c1 -- ls -la'],
  ['-q exec c1 --env A=b -T ls --env', '-q exec c1 --env A=b -T -- ls --env'],
  ['exec --user ann c1 id -u', 'exec --user ann c1 -- id -u'],
  ['exec c1 -- ls -la', 'exec c1 -- ls -la'],
  ['exec c1 sh -c -- x', 'exec c1 -- sh -c -- x'],
  ['exec c1', 'exec c1'],
])('all that follows the first word of a command belongs to it: %s', (line, ours) => {
  expect(understood(line)).toBe(ours);
});

it.each([
  ['lunch busybox', 'launch'],
  ['lsit', 'list'],
  ['confg show c1', 'config'],
  ['image lst', 'list'],
  ['event', 'events'],
])('the nearest command is proposed: %s', (line, near) => {
  expect(() => understood(line)).toThrow(`. Did you mean ${near}?`);
});

it.each(['delte c1', 'kil c1', 'stpo c1', 'image delet x', 'config unst c1 x', 'restrt c1', 'nonsense'])(
  'nothing is proposed that ends or deletes something: %s',
  (line) => {
    expect(() => understood(line)).toThrow(/^unknown command '\w+'$/);
  },
);

it.each(['run busybox', 'top', 'stats c1', 'snapshot c1', 'network list', 'copy c1 c2'])(
  'one line says what porthole has instead: %s',
  (line) => {
    expect(() => understood(line)).toThrow(/^porthole has no command "\w+": [^\n]+$/);
  },
);
