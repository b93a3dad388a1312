import { constants } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ExecRequest, ExecSession } from '../../client/exec.ts';
import { exec } from '../../client/exec.ts';
import type { StringMap } from '../../client/types.ts';
import { collectPair, parseWhole, UsageError } from '../arguments.ts';
import { addExamples } from '../help.ts';
import type { Io } from '../io.ts';
import type { Open } from '../session.ts';

type Mode = 'auto' | 'interactive' | 'non-interactive';

interface ExecOptions {
  readonly env?: StringMap;
  readonly cwd: string;
  readonly user: number;
  readonly group: number;
  readonly mode: Mode;
  readonly forceInteractive?: boolean;
  readonly forceNoninteractive?: boolean;
  readonly disableStdin?: boolean;
}

/** Signals that are forwarded to the command instead of ending porthole; the same as in LXD's client. */
const FORWARDED = [
  'SIGTERM',
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
] as const satisfies readonly NodeJS.Signals[];

/** `exec`. */
export function addExec(program: Command, open: Open): void {
  const command = program
    .command('exec')
    .summary('execute commands in instances')
    .description(
      'Run a command in an instance, without a shell, by default as root.\n\n' +
        'It gets a terminal when standard input and output are terminals. Put `--` before the command, so that its ' +
        'arguments are not taken for options of porthole. The exit code is that of the command; 126 when it cannot ' +
        'be executed, 127 when it does not exist, 128 plus the signal number when a signal ended it.',
    )
    .argument('<instance>')
    .argument('<command...>')
    .option('--env <key=value>', 'environment variable; can be repeated', collectPair)
    .option('--cwd <dir>', 'working directory', '')
    .option('--user <uid>', 'user id', parseWhole, 0)
    .option('--group <gid>', 'group id', parseWhole, 0)
    .addOption(
      new Option('--mode <mode>', 'with a terminal or without')
        .choices(['auto', 'interactive', 'non-interactive'])
        .default('auto'),
    )
    .option('-t, --force-interactive', 'with a terminal')
    .option('-T, --force-noninteractive', 'without a terminal')
    .option('-n, --disable-stdin', 'no standard input');
  addExamples(command, [
    ['porthole exec c1 -- sh', 'a shell'],
    ['porthole exec c1 --env A=b --cwd /tmp -- env', 'with an environment variable, in a directory'],
    ["porthole exec c1 -- sh -c 'cat > /root/f' < f", 'with standard input from a file'],
  ]);
  command.action(async (name: string, words: readonly string[], options: ExecOptions) => {
    const session = open(command);
    const request = execRequest(words, options, session.io);
    const { stdin, stdout, stderr } = session.io;
    const streams = { stdin: options.disableStdin ? null : stdin, stdout, stderr };
    const running = await exec(session.client, name, request, streams);
    const release = holdTerminal(running, request.interactive && !options.disableStdin, session.io);
    try {
      const { code, err } = await running.ended;
      if (err) session.complain(err);
      session.exit(code);
    } finally {
      release();
    }
  });
}

/** The request of a command line; interactive when both ends are a terminal, unless options say otherwise. */
function execRequest(
  words: readonly string[],
  options: ExecOptions,
  io: Pick<Io, 'stdin' | 'stdout' | 'env'>,
): ExecRequest {
  const mode = modeOf(options);
  const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true && !options.disableStdin;
  const interactive = mode === 'auto' ? terminal : mode === 'interactive';
  const term = io.env['TERM'];
  return {
    command: words,
    environment: { ...(term ? { TERM: term } : {}), ...options.env },
    interactive,
    width: interactive ? (io.stdout.columns ?? 0) : 0,
    height: interactive ? (io.stdout.rows ?? 0) : 0,
    user: options.user,
    group: options.group,
    cwd: options.cwd,
  };
}

function modeOf(options: ExecOptions): Mode {
  const { mode, forceInteractive, forceNoninteractive } = options;
  if (forceInteractive && forceNoninteractive) throw new UsageError('Both -t and -T given');
  if (mode !== 'auto' && (forceInteractive || forceNoninteractive))
    throw new UsageError('Both --mode and -t or -T given');
  if (forceInteractive) return 'interactive';
  return forceNoninteractive ? 'non-interactive' : mode;
}

/**
 * Passes keys on unchanged while the command has the terminal.
 * @returns a function that gives the terminal back
 */
function holdTerminal(running: ExecSession, interactive: boolean, io: Io): () => void {
  const takeBack = interactive && io.stdin.isTTY === true ? io.makeRaw() : () => {};
  const resize = () => running.resize(io.stdout.columns ?? 0, io.stdout.rows ?? 0);
  if (interactive && io.stdout.isTTY) io.stdout.on('resize', resize);
  const forwarded = FORWARDED.map((name) => io.onSignal(name, () => running.signal(constants.signals[name])));
  return () => {
    takeBack();
    io.stdout.off('resize', resize);
    for (const stop of forwarded) stop();
  };
}
