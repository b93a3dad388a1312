import type { Command } from 'commander';
import { isAdopted } from '../../core/adopted.ts';
import type { InstanceFullJson } from '../../wire/instance.ts';
import { addExamples } from '../help.ts';
import { COLUMN_LETTERS, parseColumns } from '../list-columns.ts';
import { parseFilters } from '../list-filters.ts';
import { isInFleet } from '../location.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { formatOption, printListing } from '../tables.ts';
import { compareNames } from '../text.ts';

/** The columns of LXD's client. */
const COLUMNS = 'ns46tS';
/** Follows these in a fleet, as with LXD's client. */
const LOCATION_COLUMN = 'L';
/** Follows these when another runtime runs one of the instances. */
const RUNTIME_COLUMN = 'r';
const FAST_COLUMNS = 'nsacPt';

interface ListOptions {
  readonly columns?: string;
  readonly fast?: boolean;
  readonly format: Format;
}

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
  command.action(async (filters: readonly string[], options: ListOptions) => {
    const wanted = options.fast ? FAST_COLUMNS : options.columns;
    const stock = parseColumns(wanted ?? COLUMNS);
    const isDefault = wanted === undefined;
    const passes = parseFilters(filters);
    const live = stock.some((column) => column.live) || passes.live || options.format === 'json';
    const session = open(command);
    const all = await session.client.get<readonly InstanceFullJson[]>(
      `/1.0/instances?recursion=${live ? 2 : 1}`,
    );
    const chosen = all.filter(passes.instance).sort((a, b) => compareNames(a.name, b.name));
    const location = isDefault && all.some(isInFleet) ? parseColumns(LOCATION_COLUMN) : [];
    const tells = isDefault && options.format !== 'csv' && chosen.some(isForeign);
    const columns = [...stock, ...location, ...(tells ? parseColumns(RUNTIME_COLUMN) : [])];
    await printListing(session, options.format, {
      headers: columns.map((column) => column.header),
      rows: chosen.map((instance) => columns.map((column) => column.cell(instance))),
      objects: chosen,
    });
  });
}

/** Whether another runtime has started an instance. */
function isForeign({ config }: InstanceFullJson): boolean {
  return isAdopted(config);
}
