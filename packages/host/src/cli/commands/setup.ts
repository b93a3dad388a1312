import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { ownBin } from '../../base/own-bin.ts';
import type { Change, Done, Setup } from '../../setup/setup.ts';
import { SETUPS } from '../../setup/setups.ts';
import { UsageError } from '../arguments.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';

interface SetupOptions {
  readonly config?: string;
  readonly remove?: boolean;
  readonly required?: boolean;
  readonly reload?: boolean;
}

/** What a change of a file is called. */
const SENTENCES: Readonly<Record<Change['what'], string>> = {
  written: 'Wrote %s',
  same: '%s was set up already',
  removed: 'Removed %s',
  absent: 'There is nothing to remove in %s',
};

/** `setup`. */
export function addSetup(program: Command, open: Open): void {
  const group = program
    .command('setup')
    .summary('let containers of other programs become instances')
    .description(
      'Write the configuration with which containers of another container manager have the guest API at /dev/lxd and ' +
        'become instances when they start. It names the state directory in use and this installation of Porthole. ' +
        'It can be repeated, and containers that run are left alone.',
    );
  for (const setup of SETUPS) addOne(group, open, setup);
  addExamples(group, [
    ['porthole setup docker', 'prints what it wrote, and what to type next'],
    ['porthole setup docker --remove', 'takes it back'],
    ['porthole setup nspawn web', 'for one machine of systemd-nspawn'],
  ]);
}

function addOne(group: Command, open: Open, setup: Setup): void {
  const { name, argument } = setup;
  const command = group.command(name).summary(`for ${setup.title}`).description(setup.about);
  if (argument) command.argument(`<${argument.name}>`, argument.about);
  if (argument) command.option('--config <file>', `the file to write instead of ${setup.file}`);
  else command.option('--config <file>', 'the file to write', setup.file);
  if (setup.canRequire) command.option('--required', 'containers do not start while the daemon does not run');
  command.option('--remove', 'remove what it has written');
  if (setup.reload) command.option('--reload', `make ${setup.title} read its settings again`);
  addExamples(command, [
    [`porthole setup ${name}${argument ? ' web' : ''}`, 'writes the configuration'],
    [setup.example, 'a container that becomes an instance'],
  ]);
  command.action(async () => {
    const { config, remove, required = false, reload } = command.opts<SetupOptions>();
    if (remove && required) throw new UsageError('Both --remove and --required given');
    const session = open(command);
    const stateDir = resolve(dirname(session.client.socketPath));
    const place = { stateDir, bin: ownBin(), required };
    const file = resolve(fileOf(setup, command.args[0] ?? '', config));
    if (!remove) await needStateDir(stateDir);
    tell(session, await (remove ? setup.remove(place, file) : setup.apply(place, file)), reload === true);
    if (reload && setup.reload) session.print(await setup.reload(file));
  });
}

/** Containers could not start: the folder of the guest API is in the state directory. */
async function needStateDir(path: string): Promise<void> {
  const isThere = await stat(path).then(
    (info) => info.isDirectory(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
  if (!isThere)
    throw new Error(
      `There is no state directory ${path}: start the daemon first, or name another with --state-dir`,
    );
}

function fileOf({ argument, file }: Setup, word: string, config: string | undefined): string {
  if (!argument) return config ?? file;
  const whyNot = argument.whyNot(word);
  if (whyNot !== '') throw new UsageError(whyNot);
  return config ?? argument.fileOf(word);
}

function tell(session: Session, { changes, next }: Done, reloads: boolean): void {
  for (const { path, what } of changes) session.print(SENTENCES[what].replace('%s', () => path));
  if (next !== '' && !reloads) session.note(`Next: ${next}`);
}
