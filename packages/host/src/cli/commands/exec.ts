import { constants } from 'node:os';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ExecRequest, ExecSession } from '../../client/exec.ts';
import { exec } from '../../client/exec.ts';
import type { StringMap } from '../../client/types.ts';
import { collectPair } from '../arguments.ts';
import { addExamples } from '../help.ts';
import { type RunAs, runAs } from '../instance-users.ts';
import type { Io } from '../io.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

type Mode = 'auto' | 'interactive' | 'non-interactive';

interface ExecOptions {
  readonly env?: StringMap;
  readonly cwd: string;
  readonly user?: string;
  readonly group?: string;
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
        'It gets a terminal when standard input and output are terminals. Options of porthole come before the command; ' +
        'all that follows its first word belongs to it, with or without `--`. The exit code is that of the command; 126 ' +
        'when it cannot be executed, 127 when it does not exist, 128 plus the signal number when a signal ended it.\n\n' +
        "Names of users and groups are those of the instance's own /etc/passwd and /etc/group. A user's name also " +
        'brings its group, HOME, USER and SHELL, and its home directory as working directory; a number brings nothing.',
    )
    .argument('<instance>')
    .argument('<command...>')
    .option('--env <key=value>', 'environment variable; can be repeated', collectPair)
    .option('--cwd <dir>', 'working directory', '')
    .option('--user <user>', 'name or id of a user of the instance (default: 0)')
    .option(
      '--group <group>',
      'name or id of a group of the instance (default: that of a named user, else 0)',
    )
    .addOption(
      new Option('--mode <mode>', 'with a terminal or without')
        .choices(['auto', 'interactive', 'non-interactive'])
        .default('auto'),
    )
    .option('-t, --force-interactive', 'with a terminal')
    .option('-T, --force-noninteractive', 'without a terminal')
    .option('-n, --disable-stdin', 'no standard input');
  addExamples(command, [
    ['porthole exec c1 ls -la /root', 'options after the command are its own'],
    ['porthole exec c1 --user ann -- sh', 'a shell of ann, whose name c1 knows'],
    ['porthole exec c1 --env A=b --cwd /tmp -- env', 'with an environment variable, in a directory'],
    ["porthole exec c1 -- sh -c 'cat > /root/f' < f", 'with standard input from a file'],
  ]);
  command.action(async (name: string, words: readonly string[], options: ExecOptions) => {
    const mode = modeOf(options);
    const session = open(command);
    const found = await runAs(session.client, name, options.user, options.group);
    const as = {
      ...found,
      environment: { ...found.environment, ...options.env },
      cwd: options.cwd || found.cwd,
    };
    await runCommand(session, name, words, { mode, runAs: as, noStdin: options.disableStdin === true });
  });
}

/** How a command runs. */
export interface CommandOptions {
  readonly mode: Mode;
  readonly runAs: RunAs;
  readonly noStdin?: boolean;
}

/** Runs a command in an instance, on this program's streams, and takes its exit code. */
export async function runCommand(
  session: Session,
  name: string,
  words: readonly string[],
  options: CommandOptions,
): Promise<void> {
  const { io } = session;
  const request = execRequest(words, options, io);
  const streams = { stdin: options.noStdin ? null : io.stdin, stdout: io.stdout, stderr: io.stderr };
  const running = await exec(session.client, name, request, streams);
  const release = holdTerminal(running, request.interactive && !options.noStdin, io);
  try {
    const { code, err } = await running.ended;
    if (err) session.complain(err);
    session.exit(code);
  } finally {
    release();
  }
}

/** The request of a command line; interactive when both ends are a terminal, unless options say otherwise. */
function execRequest(
  words: readonly string[],
  { mode, runAs: as, noStdin }: CommandOptions,
  io: Pick<Io, 'stdin' | 'stdout' | 'env'>,
): ExecRequest {
  const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true && !noStdin;
  const interactive = mode === 'auto' ? terminal : mode === 'interactive';
  const term = io.env['TERM'];
  return {
    command: words,
    environment: { ...(term ? { TERM: term } : {}), ...as.environment },
    interactive,
    width: interactive ? (io.stdout.columns ?? 0) : 0,
    height: interactive ? (io.stdout.rows ?? 0) : 0,
    user: as.user,
    group: as.group,
    cwd: as.cwd,
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
