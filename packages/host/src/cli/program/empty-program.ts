import { Command, Option } from 'commander';
import { DEFAULT_STATE_DIR } from '../../base/state-directory.ts';
import { ownVersion } from '../../base/version.ts';
import { type Io, say } from '../io.ts';

/** The program without its commands. */
export function emptyProgram(io: Io): Command {
  return new Command('porthole')
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
}

/** One line for lists of commands: the summary, else the description's first sentence. */
function summaryOf(command: Command): string {
  if (command.summary()) return command.summary();
  const [first = ''] = command.description().split(/[.:\n]/);
  return first.slice(0, 1).toLowerCase() + first.slice(1);
}
