import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { helpText } from '../../packages/host/src/config/help.ts';
import { escaped, literal, manText, paragraphs, type Section, seeAlso, tagged } from './man-text.ts';

/** The text in the headers of all pages. */
export interface Edition {
  readonly version: string;
  readonly day: string;
}

const EXIT_CODES: Section = [
  'EXIT STATUS',
  [
    ...tagged('0', 'all is well'),
    ...tagged('1', 'the command failed; standard error says why'),
    ...tagged('2', 'the command line is not valid'),
    ...paragraphs('\nporthole exec ends with the exit status of the command that it ran.'),
  ],
];

const FILES: Section = [
  'FILES',
  [
    ...tagged('/var/lib/porthole', 'the state directory, with the socket of the host API'),
    ...tagged('/usr/share/doc/porthole', 'the documentation, with all config keys, settings and errors'),
  ],
];

/** Pages of a command and of all commands below it, by file name such as porthole-list.1. */
export function commandPages(command: Command, edition: Edition): Map<string, string> {
  const pages = new Map([[`${pageName(command)}.1`, commandPage(command, edition)]]);
  for (const below of visible(command))
    for (const [name, text] of commandPages(below, edition)) pages.set(name, text);
  return pages;
}

function commandPage(command: Command, edition: Edition): string {
  const help = command.createHelp();
  const isRoot = command.parent === null;
  const parents = command.parent ? [pageName(command.parent)] : [];
  const sections: Section[] = [
    ['SYNOPSIS', [`.B ${escaped(help.commandUsage(command))}`]],
    ['DESCRIPTION', paragraphs(command.description())],
    [
      'ARGUMENTS',
      help.visibleArguments(command).flatMap((each) => tagged(each.name(), help.argumentDescription(each))),
    ],
    ['OPTIONS', optionsOf(command)],
    ['COMMANDS', visible(command).flatMap((each) => tagged(`${pageName(each)}(1)`, summaryOf(each)))],
    ['EXAMPLES', examples(command)],
    ...(isRoot ? [EXIT_CODES, FILES] : []),
    [
      'SEE ALSO',
      seeAlso([...parents.map((name) => [name, 1] as const), ...(isRoot ? [['portholed', 8] as const] : [])]),
    ],
  ];
  return manText({ ...edition, name: pageName(command), section: 1, summary: summaryOf(command), sections });
}

function optionsOf(command: Command): string[] {
  const help = command.createHelp();
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].flatMap((option) =>
    tagged(help.optionTerm(option), help.optionDescription(option)),
  );
}

/** The texts that a command adds after its help. */
function examples(command: Command): string[] {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  // The types of commander do not say that a command is an emitter of events.
  (command as unknown as EventEmitter).emit('afterHelp', { error: false, command, write });
  const lines = text.replace(/^\s*Examples:\n/, '');
  return lines.trim() === '' ? [] : literal(lines);
}

function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
}

function summaryOf(command: Command): string {
  const text = command.createHelp().subcommandDescription(command);
  return command.parent ? text : 'run instances on this host';
}

/** Such as porthole-config-device-add. */
function pageName(command: Command): string {
  return command.parent ? `${pageName(command.parent)}-${command.name()}` : command.name();
}

/** The page of the daemon, with its help as it prints it. */
export function daemonPage(edition: Edition): string {
  const [usage = '', , about = '', ...rest] = helpText().split('\n');
  const sections: Section[] = [
    ['SYNOPSIS', [`.B ${escaped(usage.replace('Usage: ', ''))}`]],
    ['DESCRIPTION', paragraphs(about)],
    ['OPTIONS', literal(rest.join('\n'))],
    FILES,
    ['SEE ALSO', seeAlso([['porthole', 1]])],
  ];
  const summary = 'the Porthole daemon';
  return manText({ ...edition, name: 'portholed', section: 8, summary, sections });
}
