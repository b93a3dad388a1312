import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_STATE_DIR } from '../../base/state-directory.ts';
import { ownVersion } from '../../base/version.ts';
import { UsageError } from '../arguments.ts';
import { addAdopt } from '../commands/adopt.ts';
import { addBackup } from '../commands/backup.ts';
import { addCluster } from '../commands/cluster.ts';
import { addCompletion } from '../commands/completion.ts';
import { addConfig } from '../commands/config.ts';
import { addConsole } from '../commands/console.ts';
import { addCp } from '../commands/cp.ts';
import { addCreate } from '../commands/create.ts';
import { addDelete } from '../commands/delete.ts';
import { addExec } from '../commands/exec.ts';
import { addFile } from '../commands/file.ts';
import { addImage } from '../commands/image.ts';
import type { Builders } from '../commands/image-build.ts';
import { addInfo, addInspect } from '../commands/info.ts';
import { addList } from '../commands/list.ts';
import { addLogs } from '../commands/logs.ts';
import { addMonitor } from '../commands/monitor.ts';
import { addOperation } from '../commands/operation.ts';
import { addProfile } from '../commands/profile.ts';
import { addQuery } from '../commands/query.ts';
import { addRename } from '../commands/rename.ts';
import { addSetup } from '../commands/setup.ts';
import { addShell } from '../commands/shell.ts';
import { addState } from '../commands/state.ts';
import { addTour } from '../commands/tour.ts';
import { addVersion } from '../commands/version.ts';
import { addWait } from '../commands/wait.ts';
import { addExamples } from '../help.ts';
import { type Io, say, sayError } from '../io.ts';
import { sentenceOf } from '../local-errors.ts';
import type { Open } from '../session.ts';
import { sessionsOf } from '../session.ts';
import { understand } from '../words.ts';

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
  const program = buildProgram(io, open, builders);
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

/** All commands, for commander. */
export function buildProgram(io: Io, open: Open, builders: Builders): Command {
  const program = new Command('porthole')
    .description("Runs instances on this host and gives them LXD's guest API at /dev/lxd/sock.")
    .option(
      '--state-dir <dir>',
      `the daemon's state directory (default: $PORTHOLE_DIR, else ${DEFAULT_STATE_DIR})`,
    )
    .option('-q, --quiet', 'no remarks and no progress')
    .addOption(new Option('--project <project>', 'known to LXD; Porthole has one').hideHelp())
    .version(ownVersion(), '--version', "print the client's version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => say(io.stdout, text),
      writeErr: (text) => say(io.stderr, text),
      outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
      getOutHelpWidth: () => io.stdout.columns || 80,
      getErrHelpWidth: () => io.stderr.columns || 80,
    })
    .configureHelp({ showGlobalOptions: true, subcommandDescription: summaryOf })
    .showHelpAfterError('Add --help to see how it is used.');
  program.commandsGroup('Instances:');
  for (const add of [
    addCreate,
    addAdopt,
    addList,
    addInfo,
    addState,
    addDelete,
    addRename,
    addExec,
    addShell,
    addConsole,
    addLogs,
    addWait,
    addInspect,
    addFile,
    addCp,
    addConfig,
  ])
    add(program, open);
  program.commandsGroup('Profiles and images:');
  addProfile(program, open);
  addImage(program, open, builders);
  program.commandsGroup('Daemon:');
  for (const add of [
    addMonitor,
    addCluster,
    addBackup,
    addOperation,
    addQuery,
    addSetup,
    addTour,
    addVersion,
    addCompletion,
  ])
    add(program, open);
  program.helpCommand('help [command]', 'the same as --help');
  addExamples(program, [
    ['porthole image build busybox', 'makes a small image with the alias busybox'],
    ['porthole launch busybox c1', 'makes and starts an instance'],
    ['porthole shell c1', 'opens a shell in it'],
    ['porthole config set c1 user.colour=blue', 'sets a key that it can read: GET /1.0/config/user.colour'],
  ]);
  return program;
}

/** One line for lists of commands: the summary, else the description's first sentence. */
function summaryOf(command: Command): string {
  if (command.summary()) return command.summary();
  const [first = ''] = command.description().split(/[.:\n]/);
  return first.slice(0, 1).toLowerCase() + first.slice(1);
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
