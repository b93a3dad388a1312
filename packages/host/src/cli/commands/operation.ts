import type { Command } from 'commander';
import { path } from '../../client/host-client.ts';
import type { OperationJson } from '../../wire/operation.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import { isInFleet } from '../location.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { printListing, renderYaml } from '../tables.ts';
import { formatTime, yesNo } from '../text.ts';

/** `operation` and all below it. */
export function addOperation(program: Command, open: Open): void {
  const operation = program
    .command('operation')
    .summary('list, show and delete background operations')
    .description('List, show and cancel operations, which the daemon carries out in the background.');

  const list = operation
    .command('list')
    .alias('ls')
    .description('List operations.')
    .addOption(formatOption());
  addExamples(list, [['porthole operation list', 'all operations']]);
  list.action(async ({ format }: { format: Format }) => {
    const session = open(list);
    const byStatus = await session.client.get<Record<string, readonly OperationJson[]>>(
      '/1.0/operations?recursion=1',
    );
    const all = Object.values(byStatus).flat();
    const located = all.some(isInFleet);
    await printListing(session, format, {
      headers: [
        ...['ID', 'TYPE', 'DESCRIPTION', 'STATUS', 'CANCELABLE', 'CREATED'],
        ...(located ? ['LOCATION'] : []),
      ],
      rows: all.map((it) => [
        it.id,
        it.class.toUpperCase(),
        it.description,
        it.status.toUpperCase(),
        yesNo(it.may_cancel).toUpperCase(),
        formatTime(it.created_at),
        ...(located ? [it.location] : []),
      ]),
      objects: all,
    });
  });

  const show = operation.command('show').description('Print an operation as YAML.').argument('<operation>');
  addExamples(show, [['porthole operation show ID', 'with an id from `porthole operation list`']]);
  show.action(async (id: string) => {
    const session = open(show);
    session.print(await renderYaml(await session.client.get<OperationJson>(path`/1.0/operations/${id}`)));
  });

  const cancel = operation
    .command('delete')
    .aliases(['cancel', 'rm'])
    .description('Cancel an operation, if that is possible.');
  cancel.argument('<operation>');
  addExamples(cancel, [['porthole operation delete ID', 'with an id from `porthole operation list`']]);
  cancel.action(async (id: string) => {
    const session = open(cancel);
    await session.client.change('DELETE', path`/1.0/operations/${id}`);
    session.note(`Operation ${id} deleted`);
  });
}
