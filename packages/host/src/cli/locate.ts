import type { Command, Option } from 'commander';

/** Where a command line has come to. */
export interface Place {
  readonly command: Command;
  /** Arguments before this one. */
  readonly before: readonly string[];
  /** The indexes of these arguments among all words. */
  readonly indexes: readonly number[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  /** After `--` nothing is an option. */
  readonly literal: boolean;
}

/** Finds out which command the words lead to, and what has to come next. */
export function locate(program: Command, words: readonly string[]): Place {
  let command = program;
  let before: string[] = [];
  let indexes: number[] = [];
  let pending: Option | undefined;
  let literal = false;
  for (const [index, word] of words.entries()) {
    if (pending) {
      pending = undefined;
    } else if (!literal && word === '--') {
      literal = true;
    } else if (!literal && word.startsWith('-')) {
      pending = word.includes('=') ? undefined : findOption(command, word);
    } else {
      const next = before.length === 0 ? findCommand(command, word) : undefined;
      if (next) command = next;
      else
        [before, indexes] = [
          [...before, word],
          [...indexes, index],
        ];
    }
  }
  return { command, before, indexes, pending, literal };
}

/** An option that takes a value, of the command or of one above it. */
function findOption(command: Command, flag: string): Option | undefined {
  const option = optionsOf(command).find((one) => one.long === flag || one.short === flag);
  return option?.required ? option : undefined;
}

function findCommand(command: Command, name: string): Command | undefined {
  return command.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

/** The options of a command and of those above it. */
export function optionsOf(command: Command): readonly Option[] {
  return [...command.options, ...(command.parent ? optionsOf(command.parent) : [])];
}
