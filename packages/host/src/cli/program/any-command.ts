import type { Builders } from '../commands/image-build.ts';
import type { Io } from '../io.ts';
import type { Open } from '../session.ts';
import { understand } from '../words.ts';
import { programFor } from './one-command.ts';

/**
 * Runs the command that the words name, with the library for commands; without words it prints the help.
 * @throws CommanderError when the library has printed help, or what is wrong
 */
export async function runCommand(
  words: readonly string[],
  io: Io,
  open: Open,
  builders: Builders,
): Promise<void> {
  const program = await programFor(words, io, open, builders);
  if (words.length === 0) program.outputHelp();
  else await program.parseAsync(understand(program, words), { from: 'user' });
}
