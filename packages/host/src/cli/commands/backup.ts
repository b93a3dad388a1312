import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Verified } from '../../backups/verify.ts';
import type { BackupsJson } from '../../wire/backup.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import type { Open, Session } from '../session.ts';
import { type Format, printListing } from '../tables.ts';
import { formatBytes, formatTime } from '../text.ts';

/** `backup` and all below it. */
export function addBackup(program: Command, open: Open): void {
  const group = program
    .command('backup')
    .summary('copy the database, list and check copies')
    .description(
      'The daemon copies its database from time to time while it runs, and checks each copy. A copy has instances, ' +
        'profiles, images and their config, but not the files of instances and images. The settings backup-minutes, ' +
        'backup-count and backup-folder say how often, how many copies stay, and where they are.\n\n' +
        'If the database is lost or damaged, stop the daemon and run `portholed recover`.',
    );
  addExamples(group, [
    ['porthole backup create', 'makes a copy now, and prints its name'],
    ['porthole backup list', 'the copies, the newest first'],
    ['porthole backup verify', 'checks the newest copy, also without a daemon'],
  ]);
  addCreate(group, open);
  addList(group, open);
  addVerify(group, open);
}

function addCreate(group: Command, open: Open): void {
  const command = group
    .command('create')
    .summary('copy the database now')
    .description(
      'Copy the database while the daemon runs, check the copy, and print its name. If there are more copies than ' +
        'backup-count, the oldest ones are removed.',
    );
  addExamples(command, [['porthole backup create', 'makes a copy now, for example before an upgrade']]);
  command.action(async () => {
    const session = open(command);
    const made = await session.client.change('POST', '/1.0/backups');
    session.print(String(made?.metadata?.['name']));
  });
}

function addList(group: Command, open: Open): void {
  const command = group
    .command('list')
    .alias('ls')
    .summary('list the copies of the database')
    .description(
      'List the copies of the database, the newest first. A remark says if the last attempt failed.',
    )
    .addOption(formatOption());
  addExamples(command, [
    ['porthole backup list', 'all copies'],
    ['porthole backup list -f json', 'for programs'],
  ]);
  command.action(async ({ format }: { format: Format }) => {
    const session = open(command);
    const { copies, failure } = await session.client.get<BackupsJson>('/1.0/backups');
    await printListing(session, format, {
      headers: ['NAME', 'CREATED', 'SIZE'],
      rows: copies.map(({ name, created_at, size }) => [name, formatTime(created_at), formatBytes(size)]),
      objects: copies,
    });
    if (failure) session.note(`The last copy failed on ${formatTime(failure.at)}: ${failure.reason}`);
  });
}

function addVerify(group: Command, open: Open): void {
  const command = group
    .command('verify')
    .summary('check a copy of the database')
    .description(
      'Check each page, index and reference of a copy, and show what it has. The command changes nothing, and needs ' +
        'no daemon. The exit code is 1 if the file is damaged, or is not a copy.',
    )
    .argument(
      '[copy]',
      'a name from `porthole backup list`, or the path of a file; without it, the newest copy',
    )
    .addOption(formatOption());
  addExamples(command, [
    ['porthole backup verify', 'the newest copy'],
    ['porthole backup verify /mnt/usb/porthole.db', 'any file'],
  ]);
  command.action(async (copy: string | undefined, { format }: { format: Format }) => {
    const session = open(command);
    const path = await pathOf(session, copy);
    const { verifyCopy } = await import('../../backups/verify.ts');
    await printFacts(session, format, verifyCopy(path));
  });
}

async function printFacts(session: Session, format: Format, facts: Verified): Promise<void> {
  const { path, id, schema, bytes, position, instances, profiles, images } = facts;
  await printListing(session, format, {
    headers: ['INSTANCES', 'PROFILES', 'IMAGES', 'POSITION', 'SIZE', 'COPY'],
    rows: [[...[instances, profiles, images, position].map(String), formatBytes(bytes), path]],
    objects: [{ path, directory: id, schema, size: bytes, position, instances, profiles, images }],
  });
}

/** A word with a slash, or the name of a file here, is a path. Other words are names in the daemon's folder. */
async function pathOf(session: Session, copy: string | undefined): Promise<string> {
  if (copy?.includes('/') || (copy !== undefined && (await exists(copy)))) return resolve(copy);
  const { folder, newest } = await placeOf(session);
  const name = copy ?? newest;
  if (name === undefined) throw new Error(`There is no copy in ${folder}`);
  return join(folder, name);
}

/** The folder of the copies, from the daemon. If the daemon does not answer, the default folder. */
async function placeOf(session: Session): Promise<{ folder: string; newest: string | undefined }> {
  try {
    const { folder, copies } = await session.client.get<BackupsJson>('/1.0/backups');
    return { folder, newest: copies[0]?.name };
  } catch {
    const stateDir = resolve(dirname(session.client.socketPath));
    const { newestCopy } = await import('../../backups/verify.ts');
    return { folder: join(stateDir, 'backups'), newest: newestCopy(stateDir) };
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
