import type { Command } from 'commander';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import {
  COLUMNS,
  FAST_COLUMNS,
  type ListOptions,
  LOCATION_COLUMN,
  listInstances,
  RUNTIME_COLUMN,
} from '../instance-list.ts';
import { COLUMN_LETTERS } from '../list-columns.ts';
import type { Open } from '../session.ts';

/** `list`. */
export function addList(program: Command, open: Open): void {
  const command = program
    .command('list')
    .alias('ls')
    .summary('list instances')
    .description(
      [
        'List instances, all of them or those that pass every filter.',
        '',
        'A filter is the beginning of a name, a regular expression for names, or key=value, where key is',
        'status, type, architecture, description, name, ephemeral, ipv4, ipv6 or a config key, whose parts may be cut short:',
        'u.role=web.',
        '',
        'Columns are letters, config keys with a dot in them, as key[:HEADER[:WIDTH]], or options of devices, as',
        'devices:NAME.OPTION[:HEADER[:WIDTH]], separated by commas:',
        ...COLUMN_LETTERS,
        '',
        `Lists have the columns ${COLUMNS}, and in a fleet also ${LOCATION_COLUMN}, the member with the instance. Tables also have`,
        `${RUNTIME_COLUMN} if another runtime runs one of the listed instances. The runtime is porthole, podman, docker, oci (runc or crun), nspawn or lxc; other for`,
        'an instance that was adopted by its pid.',
      ].join('\n'),
    )
    .argument('[filters...]')
    .option('-c, --columns <columns>', `what to show (default: "${COLUMNS}")`)
    .option('--fast', `only what is known without asking the kernel: -c ${FAST_COLUMNS}`)
    .addOption(formatOption());
  addExamples(command, [
    ['porthole list', 'all instances'],
    ['porthole list web status=running', 'running ones whose name begins with web'],
    ['porthole list -c ns,user.role:ROLE', 'a config key as a column'],
    ['porthole list -f csv -c s c1', 'for scripts'],
  ]);
  command.action((filters: readonly string[], options: ListOptions) =>
    listInstances(open(command), filters, options),
  );
}
