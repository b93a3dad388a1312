import { type Command, Option } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { type HostClient, path } from '../../client/host-client.ts';
import type { ClusterJson, MemberJson } from '../../wire/cluster.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';
import { type Format, printListing, renderJson, renderYaml } from '../tables.ts';
import { addDisable, addEnable, addRemove } from './cluster-changes.ts';

/** `cluster` and all below it. */
export function addCluster(program: Command, open: Open): void {
  const group = program
    .command('cluster')
    .summary('make hosts members of one fleet, list and remove members')
    .description(
      'A fleet is several hosts that share the names of instances, profiles, images and aliases through etcd. LXD ' +
        'calls this a cluster. Each host of a fleet is a member. Any member takes any command: it passes a ' +
        'request about an instance of another member on to that member.\n\n' +
        'Each host needs the settings store, etcd-endpoints and member-address. Then `cluster enable` makes it a ' +
        'member. Its instances stay, and go on running.',
    );
  addExamples(group, [
    ['porthole cluster enable', 'makes this host a member, under its own name'],
    ['porthole cluster list', 'all members, with their state and their instances'],
    ['porthole launch busybox c1 --target mb', 'makes an instance on the member mb'],
    ['porthole cluster disable', 'makes this host a single host again'],
  ]);
  addEnable(group, open);
  addDisable(group, open);
  addList(group, open);
  addShow(group, open);
  addRemove(group, open);
}

function addList(group: Command, open: Open): void {
  const command = group
    .command('list')
    .alias('ls')
    .summary('list the members of the fleet')
    .description(
      'List the members of the fleet.\n\n' +
        'ONLINE: the member works. JOINING: its records are being written. LEAVING: they are being removed. ' +
        'OFFLINE: its daemon has ended, or does not reach etcd. Its instances may run, and are shown as ' +
        'ERROR. They cannot be changed until it is back.',
    )
    .addOption(formatOption());
  addExamples(command, [
    ['porthole cluster list', 'all members'],
    ['porthole cluster list -f csv', 'for scripts'],
  ]);
  command.action(async ({ format }: { format: Format }) => {
    const session = open(command);
    await requireMember(session.client);
    const members = await session.client.get<readonly MemberJson[]>('/1.0/cluster/members?recursion=1');
    await printListing(session, format, {
      headers: ['NAME', 'ADDRESS', 'STATE', 'VERSION', 'INSTANCES', 'MESSAGE'],
      rows: members.map(rowOf),
      objects: members,
    });
  });
}

function rowOf({ server_name, status, message, porthole }: MemberJson): string[] {
  const { address, version, instances } = porthole;
  return [server_name, address, status.toUpperCase(), version, String(instances), message];
}

function addShow(group: Command, open: Open): void {
  const command = group
    .command('show')
    .summary('show a member of the fleet')
    .description('Print what the fleet knows about a member.')
    .argument('<member>')
    .addOption(
      new Option('-f, --format <format>', 'how to print it').choices(['yaml', 'json']).default('yaml'),
    );
  addExamples(command, [['porthole cluster show mb', 'its address, version and certificate']]);
  command.action(async (name: string, { format }: { format: 'yaml' | 'json' }) => {
    const session = open(command);
    await requireMember(session.client);
    const member = await session.client.get<MemberJson>(path`/1.0/cluster/members/${name}`);
    session.print(format === 'json' ? renderJson(member) : await renderYaml(member));
  });
}

/** @throws ApiError with what to do if the daemon is no member */
async function requireMember(client: HostClient): Promise<void> {
  const { enabled } = await client.get<ClusterJson>('/1.0/cluster');
  if (!enabled)
    throw new ApiError(0, 'This host is no member of a fleet: see `porthole cluster enable --help`');
}
