import { join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_STATE_DIR } from '../base/state-directory.ts';
import { HostClient } from '../client/host-client.ts';
import { give, type Io, say, sayError } from './io.ts';
import type { Progress } from './progress.ts';
import { createProgress } from './progress.ts';
import { UsageError } from './usage-error.ts';

/** The streams, client and helpers of one command. */
export interface Session {
  readonly io: Io;
  readonly client: HostClient;
  readonly quiet: boolean;
  readonly progress: Progress;
  /** Writes text of the result, or JSON and YAML that is safe for a terminal, on standard output. */
  print(text: string): void;
  /** Writes a value, such as that of a key: unchanged, unless standard output is a terminal. */
  data(value: string): void;
  /** Writes a remark on standard error, unless `--quiet`. */
  note(text: string): void;
  /** Writes `Error: ...` on standard error and makes the exit code 1; for failures among several. */
  complain(text: string): void;
  /** Sets the exit code. */
  exit(code: number): void;
}

/** Makes the session of a command from the options given to it and to the program. */
export type Open = (command: Command) => Session;

/** Options that every command understands. */
export interface GlobalOptions {
  readonly stateDir?: string;
  readonly quiet?: boolean;
  readonly project?: string;
}

/** The only project; LXD may have several. */
const PROJECT = 'default';

/** Path of the host API's socket: `--state-dir`, else PORTHOLE_DIR, else the default directory. */
function socketPathOf(options: GlobalOptions, env: Io['env']): string {
  return join(options.stateDir || env['PORTHOLE_DIR'] || DEFAULT_STATE_DIR, 'unix.socket');
}

/** Makes sessions that pass their exit code to `exit`. */
export function sessionsOf(io: Io, exit: (code: number) => void): Open {
  return (command) => openSession(command.optsWithGlobals<GlobalOptions>(), io, exit);
}

/** Makes the session of one command, which passes its exit code to `exit`. */
export function openSession(options: GlobalOptions, io: Io, exit: (code: number) => void): Session {
  if (options.project !== undefined && options.project !== PROJECT)
    throw new UsageError(`There is no project "${options.project}": Porthole has one, ${PROJECT}`);
  const quiet = options.quiet === true;
  const progress = createProgress(io.stderr, quiet);
  const note = (text: string) => {
    progress.clear();
    if (!quiet) say(io.stderr, `${text}\n`);
  };
  return {
    io,
    client: new HostClient(socketPathOf(options, io.env), {
      ...(progress.shown ? { onProgress: progress.text } : {}),
      onUnconfirmed: (members) => note(unconfirmed(members)),
    }),
    quiet,
    progress,
    print: (text) => say(io.stdout, `${text}\n`),
    data: (value) => give(io.stdout, `${value}\n`),
    note,
    complain: (text) => {
      progress.clear();
      sayError(io.stderr, text);
      exit(1);
    },
    exit,
  };
}

function unconfirmed(members: readonly string[]): string {
  const which = members.length === 1 ? `member ${members[0]} has` : `members ${members.join(', ')} have`;
  return `Warning: the change is made, but ${which} not confirmed it yet: instances there may see the old state for a while`;
}
