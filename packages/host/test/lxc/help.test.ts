import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test as it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { buildProgram } from '../../src/cli/program/program.ts';
import { run } from '../../src/process/run.ts';
import { BIN } from '../harness/daemon.ts';
import { LxcClient } from '../harness/lxc.ts';
import {
  ARGUMENTS,
  FLAGS_NOT_OURS,
  FLAGS_OF_OURS,
  VERBS_NOT_OURS,
  VERBS_OF_OURS,
} from '../tables/help-differences.ts';

/** The help of a verb. */
interface Help {
  /** Such as `-f,--force`. */
  readonly flags: readonly string[];
  /** Its arguments: R for a required one, O for an optional one, `*` after it for any number of them. */
  readonly shape: string;
  readonly aliases: readonly string[];
}

const ours = new Map<string, Help>();
const theirs = new Map<string, Help>();

beforeAll(async () => {
  LxcClient.need();
  readOurs(program, []);
  await readTheirs([]);
});

/** The commands of porthole; the tests read only their help. */
const program = buildProgram(
  { stdout: {}, stderr: {} } as Io,
  () => {
    throw new Error('nothing is done here');
  },
  { busybox: () => Promise.reject(new Error('nothing is built here')) },
);

function readOurs(command: Command, words: readonly string[]): void {
  const args = command.registeredArguments.map(
    ({ required, variadic }) => (required ? 'R' : 'O') + (variadic ? '*' : ''),
  );
  ours.set(words.join(' '), {
    // Commander does not list the help flag with the other options.
    flags: [
      ...command.options.map(({ short, long }) => [short, long].filter(Boolean).join(',')),
      ...top(words),
    ].sort(),
    shape: canonical(args),
    aliases: command.aliases(),
  });
  const visible = command.createHelp().visibleCommands(command);
  for (const each of visible.filter((one) => one.name() !== 'help')) readOurs(each, [...words, each.name()]);
}

async function readTheirs(words: readonly string[]): Promise<void> {
  const { stdout } = await run('lxc', [...words, '--help', ...(words.length === 0 ? ['--all'] : [])]);
  theirs.set(words.join(' '), {
    flags: [...section(stdout, 'Flags').matchAll(/^ +(-\w, )? *(--[\w-]+)/gm)]
      .map(([, short = '', long]) => short.replace(', ', ',') + long)
      .sort(),
    shape: canonical(tokensOf(/Usage:\n +(.*)/.exec(stdout)?.[1] ?? '', words.length + 1)),
    aliases: section(stdout, 'Aliases').trim().split(', ').slice(1),
  });
  // Porthole has no verbs below a verb that it lacks.
  if (!ours.has(words.join(' '))) return;
  const verbs = [...section(stdout, 'Available Commands').matchAll(/^ +(\S+)/gm)].map(
    ([, verb = '']) => verb,
  );
  const known = verbs.filter((verb) => verb !== 'help' && verb !== 'completion');
  for (const verb of known) await readTheirs([...words, verb]);
}

/** The lines under a heading. */
function section(help: string, title: string): string {
  return new RegExp(`^${title}:\\n((?: .*\\n?)+)`, 'm').exec(help)?.[1] ?? '';
}

/** The arguments in a line of usage. @param skip words of the command itself */
function tokensOf(usage: string, skip: number): string[] {
  return usage
    .replaceAll(/\[<remote>:\]|<remote>:|\[\/<snapshot>\]|\[flags\]|\[--\]|\[command\]/g, '')
    .replaceAll(/(?<=<[^>]*) (?=[^>]*>)/g, '-')
    .split(/ +/)
    .slice(skip)
    .filter((token) => token !== '' && token !== '[]')
    .map((token) => (token.startsWith('[') ? 'O' : 'R') + (token.includes('...') ? '*' : ''));
}

/** One or more is the same as one and then any number. */
const canonical = (tokens: readonly string[]) => tokens.join(' ').replaceAll('R*', 'R O*');

/** Flags that both have for each verb, but list only at the top. */
const top = (words: readonly string[]) => (words.length === 0 ? ['-h,--help'] : []);

const shared = () => [...theirs.keys()].filter((verb) => ours.has(verb));

/** For each shared verb the flags of one that the other lacks. */
function flagsBeyond(one: ReadonlyMap<string, Help>, other: ReadonlyMap<string, Help>): string[] {
  return shared().flatMap((verb) => {
    const known = other.get(verb)?.flags ?? [];
    return (one.get(verb)?.flags ?? [])
      .filter((flag) => !known.includes(flag))
      .map((flag) => `${verb} ${flag}`.trim());
  });
}

/** The left column of a table, sorted. */
const left = (table: Readonly<Record<string, string>>) => Object.keys(table).sort();

describe('the help of porthole and of lxc', () => {
  it('is the one that porthole prints', async () => {
    const { stdout } = await run(join(BIN, 'porthole'), ['--help']);
    expect(stdout).toMatch('Usage: porthole');
    expect(stdout.startsWith(program.helpInformation())).toBe(true);
  });

  it('has the same verbs, except those in the tables', () => {
    expect(shared().length).toBeGreaterThan(60);
    const missing = [...theirs.keys()].filter((verb) => !ours.has(verb));
    expect(missing.sort()).toEqual(left(VERBS_NOT_OURS));
    expect([...ours.keys()].filter((verb) => !theirs.has(verb)).sort()).toEqual(left(VERBS_OF_OURS));
  });

  it('has the same flags for them, except those in the tables', () => {
    expect(flagsBeyond(theirs, ours).sort()).toEqual(left(FLAGS_NOT_OURS));
    expect(flagsBeyond(ours, theirs).sort()).toEqual(left(FLAGS_OF_OURS));
  });

  it('has the same arguments for them, except those in the table', () => {
    const differing = shared().filter((verb) => ours.get(verb)?.shape !== theirs.get(verb)?.shape);
    expect(
      differing.map((verb) => `${verb}: ${theirs.get(verb)?.shape} / ${ours.get(verb)?.shape}`).sort(),
    ).toEqual(left(ARGUMENTS));
  });

  it('has the same aliases for them', () => {
    const names = (all: ReadonlyMap<string, Help>) => shared().map((verb) => [verb, all.get(verb)?.aliases]);
    expect(names(ours)).toEqual(names(theirs));
  });

  it('gives a reason for each difference', () => {
    const tables = [VERBS_NOT_OURS, VERBS_OF_OURS, FLAGS_NOT_OURS, FLAGS_OF_OURS, ARGUMENTS];
    for (const reason of tables.flatMap((table) => Object.values(table)))
      expect(reason).toMatch(/^[a-zLS].{9,}[^.]$/);
  });
});
