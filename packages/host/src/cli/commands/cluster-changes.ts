import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { ApiError, ConnectionError, hasStatus, OperationError } from '../../client/client-errors.ts';
import { path } from '../../client/host-client.ts';
import type { ClusterJson, MemberJson } from '../../wire/cluster.ts';
import { addExamples } from '../help.ts';
import { say } from '../io.ts';
import type { Open, Session } from '../session.ts';

/** `cluster enable`. */
export function addEnable(group: Command, open: Open): void {
  const command = group
    .command('enable')
    .summary('make this host a member of the fleet')
    .description(
      'Make this host a member of the fleet, or the first member of a new one. Its instances stay and go on ' +
        'running.\n\n' +
        'The daemon needs the settings store: etcd and etcd-endpoints. Hosts with the same etcd and the same ' +
        'etcd-prefix are one fleet. The command fails and changes nothing if the fleet has a member with this ' +
        'name, an instance with the name of one here, an alias with the name of one here for another image, or ' +
        'a profile that instances here use, with another content. The error says which. Otherwise the daemon ' +
        'restarts in place, and the command waits for it.',
    )
    .option('--name <name>', "the member's name (default: the host's name)")
    .option('--address <host:port>', 'where other members reach it (default: the setting member-address)');
  addExamples(command, [
    ['porthole cluster enable', 'with the name of the host'],
    ['porthole cluster enable --name ma --address 10.0.0.1:8443', 'with another name, and its address'],
  ]);
  command.action(async ({ name = '', address = '' }: { name?: string; address?: string }) => {
    const session = open(command);
    const json = { server_name: name, address };
    const { server_name: own } = await becomes(session, true, () =>
      session.client.change('POST', '/1.0/cluster', { json }),
    );
    session.note(`This host is the member ${own} of the fleet now: see \`porthole cluster list\``);
  });
}

/** `cluster disable`. */
export function addDisable(group: Command, open: Open): void {
  const command = group
    .command('disable')
    .summary('make this host a single host again')
    .description(
      'Make this member a single host again. Its instances stay and go on running, and it keeps copies of ' +
        'all profiles and the images whose files it has, with their aliases. Its records leave the fleet, so ' +
        'the names of its instances are free there. Then the daemon restarts in place, and the command waits ' +
        'for it.',
    );
  addExamples(command, [['porthole cluster disable', 'before the host is taken out of service']]);
  command.action(async () => {
    const session = open(command);
    await becomes(session, false, () => session.client.change('DELETE', '/1.0/cluster'));
    session.note('This host is a single host now, with its instances');
  });
}

/** `cluster remove`. */
export function addRemove(group: Command, open: Open): void {
  const command = group
    .command('remove')
    .alias('rm')
    .summary('remove a member whose host is lost')
    .description(
      'Remove a member that is OFFLINE and will not come back. A host that works leaves the fleet with ' +
        '`porthole cluster disable`.\n\n' +
        'If the member has instances, the command needs --force. Then it deletes their records: other members ' +
        'no longer list them, and their names are free again. No file of the member is deleted. If the member ' +
        'comes back, it finds that it was removed. It keeps its instances as a single host, and says so.',
    )
    .argument('<member>')
    .option('-f, --force', 'also if it has instances; asks first')
    .option('--yes', 'do not ask');
  addExamples(command, [
    ['porthole cluster remove mb', 'a member without instances'],
    ['porthole cluster remove mb --force', 'a member whose host is lost, with its instances'],
  ]);
  command.action(async (name: string, { force, yes }: { force?: boolean; yes?: boolean }) => {
    const session = open(command);
    if (force && !yes) await confirm(session, name);
    await session.client.change('DELETE', path`/1.0/cluster/members/${name}` + (force ? '?force=1' : ''));
    session.note(`Member ${name} removed`);
  });
}

/** Says what is lost, and asks; any answer that is not yes, or the end of the input, aborts. */
async function confirm({ client, io }: Session, name: string): Promise<void> {
  const { status, porthole } = await client.get<MemberJson>(path`/1.0/cluster/members/${name}`);
  const state = `Member ${name} is ${status.toUpperCase()} and has ${porthole.instances} instances.`;
  const lines = [
    `${state} Their records will be deleted:`,
    'other members no longer list them, and their names are free again.',
    `If ${name} comes back, it keeps its instances as a single host.`,
  ];
  say(io.stderr, `${lines.join('\n')}\nRemove ${name}? (yes/no): `);
  // Closed in any case: a terminal that is still read keeps the process alive.
  using reader = createInterface({ input: io.stdin });
  const { value } = await reader[Symbol.asyncIterator]().next();
  if (!/^y(es)?$/i.test(String(value ?? '').trim())) throw new ApiError(0, 'Nothing was removed');
}

/** The daemon restarts in place within seconds; it may have to recognise thousands of instances. */
const RESTART_MS_MAX = 60_000;
const ASK_INTERVAL_MS = 100;

const NOT_FOUND = 404;

/** Makes this host a member or a single host, and waits until the daemon has restarted as that. */
async function becomes(
  session: Session,
  member: boolean,
  change: () => Promise<unknown>,
): Promise<ClusterJson> {
  await change().catch((error: unknown) => {
    // The daemon may restart before it has told the end of the operation.
    const cut = error instanceof ConnectionError || hasStatus(error, NOT_FOUND);
    if (!cut || error instanceof OperationError) throw error;
  });
  const deadline = performance.now() + RESTART_MS_MAX;
  for (;;) {
    const cluster = await session.client.get<ClusterJson>('/1.0/cluster').catch((error: unknown) => error);
    if (isCluster(cluster) && cluster.enabled === member) return cluster;
    if (performance.now() > deadline) {
      if (!isCluster(cluster)) throw cluster;
      throw new ApiError(0, 'The daemon has not restarted: its log says why');
    }
    session.progress.text('The daemon restarts');
    await sleep(ASK_INTERVAL_MS);
  }
}

function isCluster(value: unknown): value is ClusterJson {
  return typeof value === 'object' && value !== null && 'enabled' in value;
}
