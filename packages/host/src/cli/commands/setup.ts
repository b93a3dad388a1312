import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { ownBin } from '../../base/own-bin.ts';
import type { Change, Done, Setup } from '../../setup/setup.ts';
import { SETUPS } from '../../setup/setups.ts';
import type { ServerJson } from '../../wire/server.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface SetupOptions {
  readonly config?: string;
  readonly remove?: boolean;
  readonly required?: boolean;
  readonly reload?: boolean;
}

/** The daemon reads the settings of machines within some milliseconds, or two seconds if a notification is lost. */
const FOLLOWED_MS_MAX = 5_000;
const FOLLOWED_LOOK_MS = 20;

/** The sentence for each change of a file. */
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
      'Write the configuration of another container manager, so that its containers have the guest API at /dev/lxd ' +
        'and become instances when they start. The configuration contains the paths of the state directory and of ' +
        'this installation of Porthole. You can repeat the command. It does not change running containers.',
    );
  for (const setup of SETUPS) addOne(group, open, setup);
  addExamples(group, [
    ['porthole setup docker', 'prints what it wrote, and what to type next'],
    ['porthole setup docker --remove', 'removes what it wrote'],
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
    const done = await (remove ? setup.remove(place, file) : setup.apply(place, file));
    if (setup.isFollowed && !remove && config === undefined)
      await untilFollowed(session, command.args[0] ?? '');
    tell(session, done, reload === true);
    if (reload && setup.reload) session.print(await setup.reload(file));
  });
}

/** @throws Error without a state directory: containers could not mount its folder, and so could not start */
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

/**
 * Waits until the daemon follows a machine, so that what starts it next comes after that. If no daemon runs, the next
 * one reads the file before it answers callers.
 */
async function untilFollowed({ client, note }: Session, machine: string): Promise<void> {
  const over = performance.now() + FOLLOWED_MS_MAX;
  for (;;) {
    const server = await client.get<ServerJson>('/1.0').catch(() => null);
    if (!server?.porthole.machines || server.porthole.machines.includes(machine)) return;
    if (performance.now() > over) return note(`The daemon does not follow ${machine} yet: its log says why.`);
    await wait(FOLLOWED_LOOK_MS);
  }
}

function tell(session: Session, { changes, next }: Done, reloads: boolean): void {
  for (const { path, what } of changes) session.print(SENTENCES[what].replace('%s', () => path));
  if (next !== '' && !reloads) session.note(`Next: ${next}`);
}
