import { Readable } from 'node:stream';
import { buffer as readBuffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { deleteFile, writeFile } from '../../client/files.ts';
import { parseId, parseMode } from '../arguments.ts';
import { inEditor } from '../editor.ts';
import { readThroughLinks } from '../file-links.ts';
import { nameOf, parseInstancePath } from '../file-paths.ts';
import type { PullOptions } from '../file-pull.ts';
import { pull } from '../file-pull.ts';
import type { PushOptions } from '../file-push.ts';
import { push } from '../file-push.ts';
import { addExamples } from '../help.ts';
import type { Open } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/** `file` and all below it. */
export function addFile(program: Command, open: Open): void {
  const file = program
    .command('file')
    .summary('manage files in instances')
    .description('Manage files in instances, running or stopped. Paths are written as INSTANCE/PATH.');
  addPush(file, open);
  addPull(file, open);
  addEdit(file, open);
  addDelete(file, open);
}

function addPush(parent: Command, open: Open): void {
  const command = parent
    .command('push')
    .summary('push files into instances')
    .description(
      'Push files into an instance. `-` reads standard input. New files get the owner and mode of the source; ' +
        'existing files keep theirs. If the target is a directory, or ends with a slash, files are pushed into it; ' +
        'with --recursive or several files it is always a directory.',
    )
    .usage('[options] <source>... <instance>/<path>')
    .argument('<source|instance/path...>')
    .option('-p, --create-dirs', 'make missing parent directories of the target')
    .option('-r, --recursive', 'directories with their contents; links stay links')
    .option('--uid <uid>', 'owner of the new file, as a uid of the instance', parseId)
    .option('--gid <gid>', 'group of the new file, as a gid of the instance', parseId)
    .option('--mode <mode>', 'mode of the new file, such as 0644', parseMode);
  addExamples(command, [
    ['porthole file push /etc/hosts c1/etc/hosts', 'one file'],
    ['porthole file push -r site c1/var/www', 'the directory /var/www/site'],
    ['date | porthole file push - c1/root/date --mode 644', 'the output of a command'],
  ]);
  command.action(async (words: readonly string[], options: PushOptions) => {
    const [target, ...sources] = words.toReversed();
    if (target === undefined || sources.length === 0) throw new UsageError('Name a source and a target');
    const own = [options.uid, options.gid, options.mode].some((value) => value !== undefined);
    if (options.recursive && own)
      throw new UsageError('--uid, --gid and --mode cannot be used with --recursive');
    await push(open(command), sources.reverse(), parseInstancePath(target), options);
  });
}

function addPull(parent: Command, open: Open): void {
  const command = parent
    .command('pull')
    .summary('pull files from instances')
    .description(
      'Pull files from instances. `-` writes to standard output. You own the new files; they have the modes of the ' +
        'source, without set-user-id, set-group-id and sticky bits. If the target is a directory, or ends with a slash, ' +
        'files are pulled into it; with --recursive or several files it is always a directory, and made if missing.',
    )
    .usage('[options] <instance>/<path>... <target>')
    .argument('<instance/path|target...>')
    .option('-p, --create-dirs', 'make missing parent directories of a target file')
    .option('-r, --recursive', 'directories with their contents; links stay links');
  addExamples(command, [
    ['porthole file pull c1/etc/hosts .', 'into this directory'],
    ['porthole file pull -r c1/var/log logs', 'the directory logs/log'],
    ['porthole file pull c1/etc/os-release -', 'prints it'],
  ]);
  command.action(async (words: readonly string[], options: PullOptions) => {
    const sources = words.slice(0, -1);
    if (sources.length === 0) throw new UsageError('Name a source and a target');
    await pull(open(command), sources.map(parseInstancePath), words.at(-1) as string, options);
  });
}

function addEdit(parent: Command, open: Open): void {
  const command = parent
    .command('edit')
    .summary('edit files in instances')
    .description(
      'Edit a file in $VISUAL or $EDITOR, or replace it with standard input when that is not a terminal. It keeps its ' +
        'owner and mode.',
    )
    .argument('<instance/path>');
  addExamples(command, [['porthole file edit c1/etc/hosts', 'opens it in an editor']]);
  command.action(async (text: string) => {
    const session = open(command);
    const place = parseInstancePath(text);
    const save = (content: Readable) =>
      writeFile(session.client, place.instance, place.path, { type: 'file', content });
    if (!session.io.stdin.isTTY) return save(session.io.stdin);
    const before = await readBuffer(await readThroughLinks(session.client, place));
    await inEditor(session, nameOf(place), before, async (after) => {
      if (!after.equals(before)) await save(Readable.from([after]));
    });
  });
}

function addDelete(parent: Command, open: Open): void {
  const command = parent
    .command('delete')
    .alias('rm')
    .summary('delete files in instances')
    .description('Delete files, links and empty directories in instances.')
    .argument('<instance/path...>');
  addExamples(command, [['porthole file delete c1/tmp/a c1/tmp/b', 'two files']]);
  command.action(async (words: readonly string[]) => {
    const { client } = open(command);
    for (const { instance, path } of words.map(parseInstancePath)) await deleteFile(client, instance, path);
  });
}
