import type { Command } from 'commander';
import type { Builders } from '../commands/image-build.ts';
import type { Io } from '../io.ts';
import { locate } from '../locate.ts';
import type { Open } from '../session.ts';
import { emptyProgram } from './empty-program.ts';

type Add = (program: Command, open: Open) => void;

/**
 * Commands by each of their names, for programs that have no other command. Making all commands takes as long as
 * everything else that `porthole list` does after the start of Node.
 */
export const ALONE: Readonly<Record<string, () => Promise<Add>>> = {
  config: async () => (await import('../commands/config.ts')).addConfig,
  exec: async () => (await import('../commands/exec.ts')).addExec,
  info: async () => (await import('../commands/info.ts')).addInfo,
  inspect: async () => (await import('../commands/info.ts')).addInspect,
  list: async () => (await import('../commands/list.ts')).addList,
  ls: async () => (await import('../commands/list.ts')).addList,
  profile: async () => (await import('../commands/profile.ts')).addProfile,
  query: async () => (await import('../commands/query.ts')).addQuery,
  wait: async () => (await import('../commands/wait.ts')).addWait,
};

/** The program with the command that the words name, or with all commands. */
export async function programFor(
  words: readonly string[],
  io: Io,
  open: Open,
  builders: Builders,
): Promise<Command> {
  const program = emptyProgram(io);
  const [name = ''] = locate(program, words).before;
  const add = Object.hasOwn(ALONE, name) ? await ALONE[name]?.() : undefined;
  if (!add) return (await import('./whole-program.ts')).buildProgram(io, open, builders);
  add(program, open);
  return program;
}
