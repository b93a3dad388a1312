import type { Argument, Command, Option } from 'commander';
import { printableLine } from '../base/printable.ts';
import type { HostClient } from '../client/host-client.ts';
import { FILES, offer } from './completion-offers.ts';

/**
 * The candidates for the last of some words, which may be empty or unfinished; none when the daemon does not
 * answer. The name of an argument decides which candidates it has. Names with control characters, or that are
 * not valid text, are left out.
 * @param words the command line without the program's name
 */
export async function complete(
  program: Command,
  words: readonly string[],
  client: HostClient,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const place = locate(program, words.slice(0, -1));
  const candidates = await candidatesAt(place, current, client);
  return [...new Set(candidates)].filter(
    (text) =>
      text === FILES || (text.startsWith(current) && text.isWellFormed() && text === printableLine(text)),
  );
}

interface Place {
  readonly command: Command;
  /** Arguments before this one. */
  readonly before: readonly string[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  /** After `--` nothing is an option. */
  readonly literal: boolean;
}

/** Finds out which command the words lead to, and what has to come next. */
function locate(program: Command, words: readonly string[]): Place {
  let command = program;
  let before: string[] = [];
  let pending: Option | undefined;
  let literal = false;
  for (const word of words) {
    if (pending) {
      pending = undefined;
    } else if (!literal && word === '--') {
      literal = true;
    } else if (!literal && word.startsWith('-')) {
      pending = word.includes('=') ? undefined : findOption(command, word);
    } else {
      const next = before.length === 0 ? findCommand(command, word) : undefined;
      if (next) command = next;
      else before = [...before, word];
    }
  }
  return { command, before, pending, literal };
}

/** An option that takes a value, of the command or of one above it. */
function findOption(command: Command, flag: string): Option | undefined {
  const option = optionsOf(command).find((one) => one.long === flag || one.short === flag);
  return option?.required ? option : undefined;
}

function findCommand(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

function optionsOf(command: Command): readonly Option[] {
  return [...command.options, ...(command.parent ? optionsOf(command.parent) : [])];
}

async function candidatesAt(place: Place, current: string, client: HostClient): Promise<readonly string[]> {
  const { command, pending, literal, before } = place;
  if (pending) return pending.argChoices ?? offer(placeholder(pending.flags), before, current, client);
  if (current.startsWith('-') && !literal) {
    return [...optionsOf(command).flatMap(({ long }) => (long ? [long] : [])), '--help'];
  }
  if (command.commands.length > 0) return before.length === 0 ? visibleCommands(command) : [];
  const argument = argumentAt(command, before.length);
  if (!argument) return [];
  return argument.argChoices ?? offer(argument.name(), before, current, client);
}

function visibleCommands(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name());
}

/** If the last argument takes several words, it stands for all further ones. */
function argumentAt(command: Command, index: number): Argument | undefined {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[index] ?? (last?.variadic ? last : undefined);
}

function placeholder(flags: string): string {
  return /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? '';
}
