import type { Command } from 'commander';
import type { Io } from '../../src/cli/io.ts';
import { buildProgram } from '../../src/cli/program/whole-program.ts';
import { run } from '../../src/process/run.ts';

/** The help of a verb. */
export interface Help {
  /** Such as `-f,--force`. */
  readonly flags: readonly string[];
  /** Its arguments: R for a required one, O for an optional one, `*` after it for any number of them. */
  readonly shape: string;
  readonly aliases: readonly string[];
  readonly description: string;
}

/** The help of each verb, such as `config set`; the program's own is that of ''. */
export type HelpTree = ReadonlyMap<string, Help>;

/** The commands of porthole, for their help. */
export const program = buildProgram(
  { stdout: {}, stderr: {} } as Io,
  () => {
    throw new Error('nothing is done here');
  },
  { busybox: () => Promise.reject(new Error('nothing is built here')) },
);

export function helpOfPorthole(): HelpTree {
  const tree = new Map<string, Help>();
  addOurs(tree, program, []);
  return tree;
}

function addOurs(tree: Map<string, Help>, command: Command, words: readonly string[]): void {
  const args = command.registeredArguments.map(
    ({ required, variadic }) => (required ? 'R' : 'O') + (variadic ? '*' : ''),
  );
  tree.set(words.join(' '), {
    // Commander does not list the help flag with the other options.
    flags: [
      ...command.options.map(({ short, long }) => [short, long].filter(Boolean).join(',')),
      ...top(words),
    ].sort(),
    shape: canonical(args),
    aliases: command.aliases(),
    description: command.description(),
  });
  const visible = command.createHelp().visibleCommands(command);
  for (const each of visible.filter((one) => one.name() !== 'help'))
    addOurs(tree, each, [...words, each.name()]);
}

/** Asks the stock client. What is below a verb that porthole lacks is left out. */
export async function helpOfLxc(ours: HelpTree): Promise<HelpTree> {
  const tree = new Map<string, Help>();
  await addTheirs(tree, ours, []);
  return tree;
}

async function addTheirs(tree: Map<string, Help>, ours: HelpTree, words: readonly string[]): Promise<void> {
  const { stdout } = await run('lxc', [...words, '--help', ...(words.length === 0 ? ['--all'] : [])]);
  tree.set(words.join(' '), {
    flags: [...section(stdout, 'Flags').matchAll(/^ +(-\w, )? *(--[\w-]+)/gm)]
      .map(([, short = '', long]) => short.replace(', ', ',') + long)
      .sort(),
    shape: canonical(tokensOf(/Usage:\n +(.*)/.exec(stdout)?.[1] ?? '', words.length + 1)),
    aliases: section(stdout, 'Aliases').trim().split(', ').slice(1),
    description: /^Description:\n +(.*)/.exec(stdout)?.[1] ?? '',
  });
  if (!ours.has(words.join(' '))) return;
  const verbs = [...section(stdout, 'Available Commands').matchAll(/^ +(\S+)/gm)].map(
    ([, verb = '']) => verb,
  );
  const known = verbs.filter((verb) => verb !== 'help' && verb !== 'completion');
  for (const verb of known) await addTheirs(tree, ours, [...words, verb]);
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
