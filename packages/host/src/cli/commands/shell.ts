import type { Command } from 'commander';
import { addExamples } from '../help.ts';
import { environmentOf, findUser } from '../instance-users.ts';
import type { Open } from '../session.ts';
import { runCommand } from './exec.ts';

const ROOT = 'root';
/** Of users for whom /etc/passwd names none. */
const SHELL = '/bin/sh';

/** `shell`. */
export function addShell(program: Command, open: Open): void {
  const command = program
    .command('shell')
    .summary('open a login shell in an instance')
    .description(
      "Open a login shell in an instance: the one that the instance's own /etc/passwd names for the user, in the " +
        'home directory of the user. `exit` ends it.',
    )
    .argument('<instance>')
    .option('--user <user>', 'name or id of a user of the instance', ROOT);
  addExamples(command, [
    ['porthole shell c1', 'a shell of root'],
    ['porthole shell c1 --user ann', 'a shell of ann, as if she had logged in'],
  ]);
  command.action(async (name: string, { user }: { user: string }) => {
    const session = open(command);
    const found = await findUser(session.client, name, user);
    await runCommand(session, name, [found.shell || SHELL, '-l'], {
      mode: 'auto',
      runAs: { user: found.uid, group: found.gid, environment: environmentOf(found), cwd: found.home },
    });
  });
}
