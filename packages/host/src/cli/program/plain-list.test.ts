import type { Command } from 'commander';
import fc from 'fast-check';
import { expect, test as it } from 'vitest';
import { addList } from '../commands/list.ts';
import { fakeIo } from '../testing/fake-io.ts';
import { understand } from '../words.ts';
import { emptyProgram } from './empty-program.ts';
import { type PlainList, plainList } from './plain-list.ts';

/** What the library for commands reads; a text when it takes the words as an error. */
async function libraryList(words: readonly string[]): Promise<PlainList | string> {
  const program = emptyProgram(fakeIo().io);
  addList(program, () => {
    throw new Error('nothing is done here');
  });
  const command = program.commands[0] as Command;
  const read = Promise.withResolvers<PlainList | string>();
  command.action((filters: string[]) => read.resolve({ filters, options: command.optsWithGlobals() }));
  await program
    .parseAsync(understand(program, words), { from: 'user' })
    .catch((error) => read.resolve(`${error}`));
  return read.promise;
}

it.each([
  ['list', {}],
  ['ls web status=running', { filters: ['web', 'status=running'] }],
  [
    '--state-dir /x -q list -c ns,user.role:ROLE',
    { stateDir: '/x', quiet: true, columns: 'ns,user.role:ROLE' },
  ],
  [
    'list --fast --format csv --quiet --state-dir /x',
    { fast: true, format: 'csv', quiet: true, stateDir: '/x' },
  ],
  ['list -c n -c s', { columns: 's' }],
])('%s is read', (line, { filters = [], ...options }: Record<string, unknown>) => {
  expect(plainList(line.split(' '))).toEqual({ filters, options: { format: 'table', ...options } });
});

it.each([
  '',
  'info c1',
  'list --help',
  'list -cns',
  'list --format=csv',
  'list -f x',
  'list -f x -f json',
  'list -c',
  'list -c -q',
])('the library reads words that are not plain: %s', (line) => {
  expect(plainList(line.split(' '))).toBeUndefined();
});

it('words that are plain mean what the library says', async () => {
  const word = fc.oneof(
    { arbitrary: fc.constantFrom('list', 'ls', '--state-dir', '-q', '--quiet', '--fast'), weight: 4 },
    {
      arbitrary: fc.constantFrom('-c', '--columns', '-f', '--format', 'csv', 'json', 'ns', 'c1', 'a=b'),
      weight: 6,
    },
    fc.constantFrom('', '-', '--', 'help', 'exec', '-h', '--project', '-qf', '-cns', '--fast=1', '__proto__'),
  );
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 7 }), fc.boolean(), async (more, begins) => {
      const words = begins ? ['list', ...more] : more;
      const read = plainList(words);
      if (!read) return;
      plain++;
      expect(read).toEqual(await libraryList(words));
    }),
    { numRuns: 1000 },
  );
  expect(plain).toBeGreaterThan(50);
});
