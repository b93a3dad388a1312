import type { Argument, Command } from 'commander';
import { printableLine } from '../base/printable.ts';
import type { HostClient } from '../client/host-client.ts';
import { FILES, offer } from './completion-offers.ts';
import { locate, optionsOf, type Place } from './locate.ts';
import { SYNONYMS, withoutSynonym } from './words.ts';

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
  const place = locate(program, withoutSynonym(program, words.slice(0, -1)));
  const candidates = await candidatesAt(place, current, client);
  return [...new Set(candidates)].filter(
    (text) =>
      text === FILES || (text.startsWith(current) && text.isWellFormed() && text === printableLine(text)),
  );
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
  const own = command.createHelp().visibleCommands(command);
  return [...own.map((one) => one.name()), ...(command.parent ? [] : Object.keys(SYNONYMS))];
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
