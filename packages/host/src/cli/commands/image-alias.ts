import type { Command } from 'commander';
import { path } from '../../client/host-client.ts';
import type { AliasJson } from '../../wire/image.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import { findImage } from '../lookup.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { printListing } from '../tables.ts';
import { compareNames } from '../text.ts';

const FINGERPRINT_SHORT = 12;

/** `image alias` and all below it. */
export function addAlias(parent: Command, open: Open): void {
  const alias = parent.command('alias').description('Manage the aliases of images.');
  addList(alias, open);

  const create = alias
    .command('create')
    .description('Give an image an alias. The image is named by its fingerprint or by another alias.');
  create.argument('<new-alias>').argument('<image>').option('--description <text>', 'a description', '');
  addExamples(create, [
    ['porthole image alias create web 0f3c5a', 'the beginning of the fingerprint is enough'],
    ['porthole image alias create stable debian', 'the image that has the alias debian now'],
  ]);
  create.action(async (name: string, image: string, { description }: { description: string }) => {
    const { client } = open(create);
    const target = (await findImage(client, image)).fingerprint;
    await client.change('POST', '/1.0/images/aliases', { json: { name, target, description } });
  });

  const remove = alias.command('delete').alias('rm').description('Delete an alias; the image stays.');
  remove.argument('<alias>');
  addExamples(remove, [['porthole image alias delete web', 'only the alias']]);
  remove.action(async (name: string) => {
    await open(remove).client.change('DELETE', path`/1.0/images/aliases/${name}`);
  });

  const rename = alias
    .command('rename')
    .alias('mv')
    .description('Rename an alias.')
    .argument('<alias>')
    .argument('<new-alias>');
  addExamples(rename, [['porthole image alias rename web frontend', 'from web to frontend']]);
  rename.action(async (name: string, to: string) => {
    await open(rename).client.change('POST', path`/1.0/images/aliases/${name}`, { json: { name: to } });
  });
}

function addList(parent: Command, open: Open): void {
  const command = parent
    .command('list')
    .alias('ls')
    .description('List aliases: all, or those that begin with a text or whose fingerprint does.')
    .argument('[filters...]')
    .addOption(formatOption());
  addExamples(command, [['porthole image alias list -f csv busybox', 'for scripts']]);
  command.action(async (filters: readonly string[], { format }: { format: Format }) => {
    const session = open(command);
    const aliases = await session.client.get<readonly AliasJson[]>('/1.0/images/aliases?recursion=1');
    const chosen = aliases
      .filter((it) => filters.every((text) => it.name.startsWith(text) || it.target.startsWith(text)))
      .sort((a, b) => compareNames(a.name, b.name));
    await printListing(session, format, {
      headers: ['ALIAS', 'FINGERPRINT', 'TYPE', 'DESCRIPTION'],
      rows: chosen.map((it) => [
        it.name,
        it.target.slice(0, FINGERPRINT_SHORT),
        it.type.toUpperCase(),
        it.description,
      ]),
      objects: chosen,
    });
  });
}
