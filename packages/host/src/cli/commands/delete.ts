import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { path } from '../../client/host-client.ts';
import type { InstanceJson } from '../../wire/instance.ts';
import { addExamples } from '../help.ts';
import { isStopped } from '../instance-status.ts';
import { say } from '../io.ts';
import type { Open, Session } from '../session.ts';
import { changeState, forEachInstance } from './state.ts';

interface DeleteOptions {
  readonly force?: boolean;
  readonly interactive?: boolean;
}

/** `delete`. */
export function addDelete(program: Command, open: Open): void {
  const command = program
    .command('delete')
    .alias('rm')
    .summary('delete instances')
    .description('Delete instances with all their files. Running instances are refused without --force.')
    .argument('<instances...>')
    .option('-f, --force', 'stop them first')
    .option('-i, --interactive', 'ask for each one before anything is deleted');
  addExamples(command, [
    ['porthole delete c1', 'deletes a stopped instance'],
    ['porthole delete -f c1 c2', 'deletes two instances, even if they run'],
  ]);
  command.action(async (given: readonly string[], options: DeleteOptions) => {
    const session = open(command);
    const names = [...new Set(given)];
    if (names.length > 1) await requireAll(session, names);
    if (options.interactive) await askAll(session, names);
    await forEachInstance(session, names, (name) => deleteOne(session, name, options.force === true));
  });
}

/** A mistyped name must not cost the others: as with lxc, all are there or none is deleted. */
async function requireAll({ client }: Session, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await client.get(path`/1.0/instances/${name}`).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      throw new ApiError(error.status, `${name}: ${error.message}; nothing was deleted`);
    });
  }
}

/** Asks for each; any answer that is not yes, or the end of the input, aborts the whole command. */
async function askAll({ io }: Session, names: readonly string[]): Promise<void> {
  // Closed in any case: a terminal that is still read keeps the process alive.
  using reader = createInterface({ input: io.stdin });
  const lines = reader[Symbol.asyncIterator]();
  for (const name of names) {
    say(io.stderr, `Remove ${name} (yes/no): `);
    const { value } = await lines.next();
    if (!/^y(es)?$/i.test(String(value ?? '').trim())) throw new ApiError(0, 'User aborted delete operation');
  }
}

/** Only adopted instances have this key in their config. */
const ADOPTED = 'volatile.adopted';

async function deleteOne(session: Session, name: string, force: boolean): Promise<void> {
  const url = path`/1.0/instances/${name}`;
  const instance = await session.client.get<InstanceJson>(url);
  if (!isStopped(instance)) {
    if (!force) throw new ApiError(0, 'The instance is currently running, stop it first or pass --force');
    // An adopted instance goes on in its own runtime. The daemon itself deletes an ephemeral instance when it
    // stops.
    const isOurs = !(ADOPTED in instance.config);
    if (isOurs) await changeState(session, name, { action: 'stop', timeout: -1, force: true });
    if (isOurs && instance.ephemeral) return;
  }
  await session.client.change('DELETE', url);
}
