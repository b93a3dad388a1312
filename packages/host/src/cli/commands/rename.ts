import type { Command } from 'commander';
import { path } from '../../client/host-client.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';

/** `rename`. */
export function addRename(program: Command, open: Open): void {
  const command = program
    .command('rename')
    .summary('rename instances')
    .description('Give a stopped instance another name.')
    .argument('<instance>')
    .argument('<new-name>');
  addExamples(command, [['porthole rename c1 web1', 'c1 is called web1 from now on']]);
  command.action(async (name: string, to: string) => {
    await open(command).client.change('POST', path`/1.0/instances/${name}`, { json: { name: to } });
  });
}
