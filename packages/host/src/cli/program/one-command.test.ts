import type { Command } from 'commander';
import { expect, test as it } from 'vitest';
import { fakeIo } from '../testing/fake-io.ts';
import { ALONE, programFor } from './one-command.ts';
import { buildProgram } from './whole-program.ts';

const { io } = fakeIo();
const noSession = () => {
  throw new Error('nothing is done here');
};
const builders = { busybox: async () => '' };
const programOf = (words: string) => programFor(words.split(' '), io, noSession, builders);
const namesIn = (program: Command) => program.commands.flatMap((each) => [each.name(), ...each.aliases()]);

/** The help of a command and of all below it. */
function helpOf(command: Command): string {
  const below = command.commands.map(helpOf);
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp();
  return [...parts, ...below].join('\n');
}

it.each(Object.keys(ALONE))('%s is the same command alone as among all', async (name) => {
  const find = (program: Command) =>
    program.commands.find((each) => each.name() === name || each.aliases().includes(name)) as Command;
  const alone = find(await programOf(`--state-dir /x ${name}`));
  expect(helpOf(alone)).toBe(helpOf(find(buildProgram(io, noSession, builders))));
});

it('a program for one command has no others', async () => {
  expect(namesIn(await programOf('--state-dir list -q ls --fast'))).toEqual(['list', 'ls']);
});

it.each(['help list', '--help', 'images', 'lst', '__complete list'])(
  'words that name no such command have the program with all: %s',
  async (words) => {
    expect(namesIn(await programOf(words)).length).toBeGreaterThan(20);
  },
);
