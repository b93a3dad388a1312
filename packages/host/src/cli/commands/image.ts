import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { editImage, imagePut } from '../../client/edits.ts';
import { path } from '../../client/host-client.ts';
import { call } from '../../client/transport.ts';
import { own } from '../../core/records.ts';
import type { ImageJson } from '../../wire/image.ts';
import { editObject } from '../editor.ts';
import { addExamples } from '../help.ts';
import { without } from '../holders.ts';
import { describeImage } from '../image-text.ts';
import { findImage } from '../lookup.ts';
import type { Open } from '../session.ts';
import { renderYaml } from '../tables.ts';
import { addAlias } from './image-alias.ts';
import type { Builders } from './image-build.ts';
import { addImageBuild } from './image-build.ts';
import { addImageExport } from './image-export.ts';
import { addImageImport } from './image-import.ts';
import { addImageList } from './image-list.ts';

/** `image` and all below it. */
export function addImage(program: Command, open: Open, builders: Builders): void {
  const image = program
    .command('image')
    .summary('manage images')
    .description(
      'Manage images, which instances are made from. Name an image by an alias, its fingerprint or the beginning of that.',
    );
  addImageImport(image, open);
  if (Object.keys(builders).length > 0) addImageBuild(image, open, builders);
  addImageList(image, open);
  addInfo(image, open);
  addShow(image, open);
  addEdit(image, open);
  addProperties(image, open);
  addSetCached(image, open);
  addImageExport(image, open);
  addDelete(image, open);
  addAlias(image, open);
}

function addInfo(parent: Command, open: Open): void {
  const command = parent.command('info').description('Show information about an image.').argument('<image>');
  addExamples(command, [['porthole image info busybox', 'fingerprint, size, properties, aliases']]);
  command.action(async (name: string) => {
    const session = open(command);
    session.print(describeImage(await findImage(session.client, name)));
  });
}

function addShow(parent: Command, open: Open): void {
  const command = parent
    .command('show')
    .description('Print the fields that can be edited, as YAML.')
    .argument('<image>');
  addExamples(command, [['porthole image show busybox', 'properties, public, profiles']]);
  command.action(async (name: string) => {
    const session = open(command);
    session.print(await renderYaml(imagePut(await findImage(session.client, name))));
  });
}

function addEdit(parent: Command, open: Open): void {
  const command = parent
    .command('edit')
    .summary('replace the fields that can be edited, in an editor or from standard input')
    .description(
      'Replace the fields that `show` prints: in $VISUAL or $EDITOR, or with YAML from standard input.',
    )
    .argument('<image>');
  addExamples(command, [['porthole image edit busybox < busybox.yaml', 'with a file that `show` printed']]);
  command.action(async (name: string) => {
    const session = open(command);
    const url = path`/1.0/images/${(await findImage(session.client, name)).fingerprint}`;
    await editObject(session, url, async () => {
      const { value, etag } = await session.client.getTagged<ImageJson>(url);
      return { value: imagePut(value), etag };
    });
  });
}

function addProperties(parent: Command, open: Open): void {
  const get = parent
    .command('get-property')
    .description('Print a property.')
    .argument('<image>')
    .argument('<key>');
  addExamples(get, [['porthole image get-property busybox os', 'prints its value']]);
  get.action(async (name: string, key: string) => {
    const session = open(get);
    const value = own((await findImage(session.client, name)).properties, key);
    if (value === undefined) throw new ApiError(0, 'Property not found');
    session.data(value);
  });

  const set = parent
    .command('set-property')
    .description('Set a property.')
    .argument('<image>')
    .argument('<key>');
  set.argument('<value>');
  addExamples(set, [
    [
      'porthole image set-property busybox description "Small things"',
      'instances get it as image.description',
    ],
  ]);
  set.action(async (name: string, key: string, value: string) => {
    const { client } = open(set);
    const { fingerprint } = await findImage(client, name);
    await editImage(client, fingerprint, ({ properties }) => ({
      properties: { ...properties, [key]: value },
    }));
  });

  const unset = parent
    .command('unset-property')
    .description('Unset a property.')
    .argument('<image>')
    .argument('<key>');
  addExamples(unset, [['porthole image unset-property busybox os', 'removes the property']]);
  unset.action(async (name: string, key: string) => {
    const { client } = open(unset);
    const { fingerprint } = await findImage(client, name);
    await editImage(client, fingerprint, ({ properties }) => ({ properties: without(properties, [key]) }));
  });
}

function addSetCached(parent: Command, open: Open): void {
  const command = parent
    .command('set-cached')
    .summary('allow instances to fetch an image, or not')
    .description(
      'Mark an image as cached, or not. Instances with security.devlxd.images may fetch images that are public or cached.',
    )
    .argument('<image>')
    .addArgument(parent.createArgument('<true|false>').choices(['true', 'false']));
  addExamples(command, [
    ['porthole image set-cached busybox true', 'instances may fetch it, without it being public'],
  ]);
  command.action(async (name: string, value: string) => {
    const { client } = open(command);
    const { fingerprint } = await findImage(client, name);
    const url = path`/1.0/images/${fingerprint}`;
    await call(client.socketPath, { method: 'PATCH', path: url, json: { cached: value === 'true' } });
  });
}

function addDelete(parent: Command, open: Open): void {
  const command = parent.command('delete').alias('rm').description('Delete images, with their aliases.');
  command.argument('<image...>');
  addExamples(command, [['porthole image delete busybox', 'instances made from it stay']]);
  command.action(async (names: readonly string[]) => {
    const { client } = open(command);
    for (const name of names) {
      await client.change('DELETE', path`/1.0/images/${(await findImage(client, name)).fingerprint}`);
    }
  });
}
