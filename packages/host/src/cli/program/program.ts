import type { CommanderError } from 'commander';
import type { Builders } from '../commands/image-build.ts';
import { listInstances } from '../instance-list.ts';
import { type Io, say, sayError } from '../io.ts';
import { sentenceOf } from '../local-errors.ts';
import { openSession, sessionsOf } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { plainList } from './plain-list.ts';

/** Exit codes of `porthole`; `exec` adds those of the command it ran. */
const EXIT_CODES = { ok: 0, failure: 1, usage: 2 } as const;

/**
 * Runs one command line.
 * @param words the arguments, without the program's name
 * @param builders the builders of `image build`
 * @returns the exit code; errors have been written to standard error
 */
export async function run(words: readonly string[], io: Io, builders: Builders): Promise<number> {
  let code: number = EXIT_CODES.ok;
  const exit = (given: number) => {
    code = given;
  };
  try {
    const list = plainList(words);
    if (list) await listInstances(openSession(list.options, io, exit), list.filters, list.options);
    else await (await import('./any-command.ts')).runCommand(words, io, sessionsOf(io, exit), builders);
    return code;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: Io): number {
  if (isTold(error)) {
    const fine = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return fine || error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
  sayError(io.stderr, sentenceOf(error));
  if (!(error instanceof UsageError)) return EXIT_CODES.failure;
  say(io.stderr, 'Add --help to see how it is used.\n');
  return EXIT_CODES.usage;
}

/** Whether the library for commands has written the error. Its class would load the library. */
function isTold(error: unknown): error is CommanderError {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('commander.');
}
