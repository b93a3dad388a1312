import type { Command } from 'commander';
import { buildProgram } from '../../packages/host/src/cli/program/whole-program.ts';

/** The command line of `porthole`, only to read its help: no command can run. */
export function commandLine(): Command {
  const noSession = () => {
    throw new Error('the commands are only read here');
  };
  const { stdin, stdout, stderr } = process;
  const io = { stdin, stdout, stderr, env: {}, makeRaw: () => () => {}, onSignal: () => () => {} };
  return buildProgram(io, noSession, { busybox: async () => '' });
}
