import { text as readText } from 'node:stream/consumers';
import type { Command } from 'commander';
import { Option } from 'commander';
import { path } from '../../client/host-client.ts';
import { download } from '../../client/transport.ts';
import type { InstanceFullJson } from '../../wire/instance.ts';
import type { ServerJson } from '../../wire/server.ts';
import { addExamples } from '../help.ts';
import { describeInstance, describeServer } from '../info-text.ts';
import type { Open, Session } from '../session.ts';
import { renderJson, renderYaml } from '../tables.ts';
import { UsageError } from '../usage-error.ts';

type InfoFormat = 'text' | 'yaml' | 'json';

interface InfoOptions {
  readonly showLog?: boolean;
  readonly resources?: boolean;
  readonly target?: string;
  readonly format: InfoFormat;
}

/** `info`. */
export function addInfo(program: Command, open: Open): void {
  const command = program
    .command('info')
    .summary('show instance or daemon information')
    .description(
      'Show information about an instance and the resources it uses; without a name, about the daemon.',
    )
    .argument('[instance]')
    .option('--show-log', "add the runtime's log of the instance")
    .option('--target <member>', 'show the daemon of this member of the fleet')
    .addOption(new Option('--resources', "of the host, which LXD's daemon lists").hideHelp())
    .addOption(
      new Option('-f, --format <format>', 'how to print it')
        .choices(['text', 'yaml', 'json'])
        .default('text'),
    );
  addExamples(command, [
    ['porthole info', 'version, state directory, how callers are identified'],
    ['porthole info --target mb', 'the same about the member mb of a fleet'],
    ['porthole info c1 --show-log', 'why c1 did not start'],
  ]);
  command.action(async (name: string | undefined, options: InfoOptions) => {
    const session = open(command);
    // The daemon answers that it does not have them.
    if (options.resources) await session.client.get('/1.0/resources');
    if (name === undefined) return printServer(session, options);
    if (options.target !== undefined) throw new UsageError('--target is for the daemon, not for instances');
    await printInstance(session, name, options);
  });
}

/** `inspect`. */
export function addInspect(program: Command, open: Open): void {
  const command = program
    .command('inspect')
    .summary('show all that is known about an instance, as JSON')
    .description(
      'Print an instance with its config, devices and live state as JSON: the same as `info -f json`.',
    )
    .argument('<instance>');
  addExamples(command, [
    ['porthole inspect c1 | jq -r .state.pid', 'the pid of its first process on this host'],
  ]);
  command.action((name: string) => printInstance(open(command), name, { format: 'json' }));
}

async function printServer(session: Session, { format, target }: InfoOptions): Promise<void> {
  const url = target === undefined ? '/1.0' : path`/1.0?target=${target}`;
  const server = await session.client.get<ServerJson>(url);
  session.print(await render(format, server, describeServer));
}

async function printInstance(session: Session, name: string, options: InfoOptions): Promise<void> {
  const instance = await session.client.get<InstanceFullJson>(`${path`/1.0/instances/${name}`}?recursion=1`);
  session.print(await render(options.format, instance, describeInstance));
  if (!options.showLog) return;
  const url = path`/1.0/instances/${name}/logs/lxc.log`;
  const log = await readText(await download(session.client.socketPath, { method: 'GET', path: url }));
  session.print(`\nLog:\n\n${log.trimEnd()}`);
}

function render<T>(format: InfoFormat, value: T, describe: (value: T) => string): string | Promise<string> {
  if (format === 'json') return renderJson(value);
  return format === 'yaml' ? renderYaml(value) : describe(value);
}
