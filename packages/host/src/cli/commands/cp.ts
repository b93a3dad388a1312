import type { Command } from 'commander';
import { type InstancePath, parseInstancePath } from '../file-paths.ts';
import { pull } from '../file-pull.ts';
import { push } from '../file-push.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/** `cp`. */
export function addCp(program: Command, open: Open): void {
  const command = program
    .command('cp')
    .summary('copy files between this host and an instance')
    .description(
      'Copy files and directories between this host and an instance, running or stopped. Paths inside an instance are ' +
        'written as INSTANCE:PATH. If the target is a directory, the source is copied into it. `porthole file push` ' +
        'and `pull` have options for owners and modes.',
    )
    .argument('<source|instance:path>')
    .argument('<target|instance:path>');
  addExamples(command, [
    ['porthole cp /etc/hosts c1:/etc/hosts', 'into an instance'],
    ['porthole cp c1:/var/log logs', 'a directory of an instance'],
    ['porthole cp ./a:b c1:/root/', 'a name with a colon: begin it with ./ or /'],
  ]);
  command.action(async (source: string, target: string) => {
    const [from, to] = [placeOf(source), placeOf(target)];
    if (from && to) throw new UsageError('Between two instances: copy the files to this host first');
    const session = open(command);
    if (to) return push(session, [source], to, { recursive: true, asCp: true });
    if (from) return pull(session, [from], target, { recursive: true, asCp: true });
    throw new UsageError(
      'One side must be INSTANCE:PATH, as in c1:/etc/hosts; instances themselves cannot be copied',
    );
  });
}

/** The place inside an instance; undefined for a path of this host. */
function placeOf(text: string): InstancePath | undefined {
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon <= 0 || (slash >= 0 && slash < colon)) return undefined;
  const path = text.slice(colon + 1);
  return parseInstancePath(`${text.slice(0, colon)}${path.startsWith('/') ? '' : '/'}${path}`);
}
