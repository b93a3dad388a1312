import type { Command } from 'commander';
import { DEFAULT_STATE_DIR } from '../../base/state-directory.ts';
import { ApiError } from '../../client/client-errors.ts';
import { path } from '../../client/host-client.ts';
import type { StringMap } from '../../client/types.ts';
import { collectNames, collectPair, parseWhole } from '../arguments.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface AdoptOptions {
  readonly pid: number;
  readonly config?: StringMap;
  readonly profile?: readonly string[];
  /** False with --no-profiles. */
  readonly profiles: boolean;
  readonly ephemeral?: boolean;
  readonly description?: string;
}

/** `adopt`. */
export function addAdopt(program: Command, open: Open): void {
  const command = program
    .command('adopt')
    .summary('serve a container that another runtime has started')
    .description(
      'Adopt a container that another runtime, such as Podman or runc, has started. The pid of its first process ' +
        'identifies it.\n\nThat runtime has to mount the folder devlxd of the state directory at /dev/lxd inside. ' +
        'Porthole does not end its processes: it refuses `stop`, and `delete` only forgets the instance. An instance ' +
        'that has ended keeps its config. To begin its next run, adopt another process under its name.',
    )
    .argument('<instance>', 'a new name, or that of an adopted instance that has ended')
    .requiredOption('--pid <pid>', 'pid of its first process on the host', parseWhole)
    .option('-c, --config <key=value>', 'config key; can be repeated', collectPair)
    .option('-p, --profile <profile>', 'profile to apply; can be repeated, in order', collectNames)
    .option('--no-profiles', 'apply no profile, not even default')
    .option('-e, --ephemeral', 'forget the instance when it ends')
    .option('--description <text>', 'a description');
  addExamples(command, [
    [
      `podman run -d --name web -v ${DEFAULT_STATE_DIR}/devlxd:/dev/lxd:ro debian sleep inf`,
      'a container, with the guest API mounted',
    ],
    ["porthole adopt web --pid $(podman inspect -f '{{.State.Pid}}' web)", 'from now on Porthole serves it'],
  ]);
  command.action(async (name: string, options: AdoptOptions) => {
    if (options.profile && !options.profiles) throw new UsageError('Both --profile and --no-profiles given');
    const session = open(command);
    await adopt(session, name, options);
    session.progress.clear();
  });
}

async function adopt({ client }: Session, name: string, options: AdoptOptions): Promise<void> {
  const { pid, config, description, ephemeral, profile, profiles } = options;
  const isNew = (await client.get(path`/1.0/instances/${name}`).catch(nullWhenMissing)) === null;
  if (isNew) {
    const json = {
      name,
      description: description ?? '',
      ephemeral: ephemeral === true,
      profiles: profiles ? (profile ?? null) : [],
      config: config ?? {},
      source: { type: 'adopt', pid },
    };
    await client.change('POST', '/1.0/instances', { json });
    return;
  }
  if (config || profile || !profiles || ephemeral || description !== undefined)
    throw new UsageError(
      `${name} exists: change it with \`porthole config\`; \`adopt\` only gives it a new process`,
    );
  await client.change('PUT', path`/1.0/instances/${name}/state`, { json: { action: 'start', pid } });
}

const NOT_FOUND = 404;

function nullWhenMissing(error: unknown): null {
  if (error instanceof ApiError && error.status === NOT_FOUND) return null;
  throw error;
}
