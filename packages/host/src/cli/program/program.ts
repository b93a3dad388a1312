import { CommanderError } from 'commander';
import { UsageError } from '../arguments.ts';
import type { Builders } from '../commands/image-build.ts';
import { type Io, say, sayError } from '../io.ts';
import { sentenceOf } from '../local-errors.ts';
import { sessionsOf } from '../session.ts';
import { understand } from '../words.ts';
import { programFor } from './one-command.ts';

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
  const open = sessionsOf(io, (exit) => {
    code = exit;
  });
  const program = await programFor(words, io, open, builders);
  if (words.length === 0) {
    program.outputHelp();
    return EXIT_CODES.ok;
  }
  try {
    await program.parseAsync(understand(program, words), { from: 'user' });
    return code;
  } catch (error) {
    return report(error, io);
  }
}

function report(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    const fine = error.code === 'commander.helpDisplayed' || error.code === 'commander.version';
    return fine || error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
  sayError(io.stderr, sentenceOf(error));
  if (!(error instanceof UsageError)) return EXIT_CODES.failure;
  say(io.stderr, 'Add --help to see how it is used.\n');
  return EXIT_CODES.usage;
}
