import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { own } from '../../core/records.ts';
import { parseSettings } from '../arguments.ts';
import { editObject } from '../editor.ts';
import { addExamples } from '../help.ts';
import type { Holder } from '../holders.ts';
import { example, INSTANCE_HOLDER, without } from '../holders.ts';
import type { Open } from '../session.ts';
import { renderYaml } from '../tables.ts';
import { UsageError } from '../usage-error.ts';
import { addDevice } from './device.ts';

/** `config` and all below it. */
export function addConfig(program: Command, open: Open): void {
  const config = program
    .command('config')
    .summary('manage instance configuration and devices')
    .description("Read and change instances' config and devices. Changes reach running instances at once.");
  addKeys(config, open, INSTANCE_HOLDER, 'porthole config');
  addDevice(config, open, INSTANCE_HOLDER, 'porthole config device');
}

/** `get`, `set`, `unset`, `show` and `edit` of an instance or a profile. */
export function addKeys(parent: Command, open: Open, holder: Holder, prefix: string): void {
  addGet(parent, open, holder, prefix);
  addSet(parent, open, holder, prefix);
  addUnset(parent, open, holder, prefix);
  addShow(parent, open, holder, prefix);
  addEdit(parent, open, holder, prefix);
}

function addGet(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('get')
    .description('Print one value; an empty line when the key is not set.');
  command.argument(`<${holder.noun}>`).argument('<key>');
  if (holder.noun === 'instance') command.option('-e, --expanded', 'also if only a profile sets it');
  addExamples(command, [[`${prefix} get ${example(holder)} user.colour`, 'prints its value']]);
  command.action(async (name: string, key: string, options: { expanded?: boolean }) => {
    const session = open(command);
    const held = await holder.read(session.client, name);
    session.data(own(options.expanded ? held.expandedConfig : held.config, key) ?? '');
  });
}

function addSet(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('set')
    .summary('set keys')
    .description(
      'Set keys, all in one change. A value `-` is read from standard input, unless that is a terminal. An empty ' +
        'value unsets the key.',
    )
    .argument(`<${holder.noun}>`)
    .argument('<key=value...>');
  addExamples(command, [
    [`${prefix} set ${example(holder)} user.colour=blue user.size=10`, 'two keys at once'],
    [`${prefix} set ${example(holder)} cloud-init.user-data - < user-data.yaml`, 'the value from a file'],
  ]);
  command.action(async (name: string, words: readonly string[]) => {
    const session = open(command);
    const [first = ''] = words;
    if (words.length === 1 && !first.includes('=')) throw new UsageError(`No value given for "${first}"`);
    const settings = await parseSettings(words, session.io.stdin);
    await holder.edit(session.client, name, ({ config }) => ({ config: { ...config, ...settings } }));
  });
}

function addUnset(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('unset').description('Unset a key.');
  command.argument(`<${holder.noun}>`).argument('<key>');
  addExamples(command, [[`${prefix} unset ${example(holder)} user.colour`, 'removes the key']]);
  command.action(async (name: string, key: string) => {
    await holder.edit(open(command).client, name, ({ config }) => {
      // As with lxc: of a profile also a key that is not set, if the daemon knows the key.
      if (holder.noun === 'profile') return { config: { ...config, [key]: '' } };
      if (!Object.hasOwn(config, key))
        throw new ApiError(0, `Can't unset key '${key}', it's not currently set`);
      return { config: without(config, [key]) };
    });
  });
}

function addShow(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('show')
    .description('Print everything as YAML.')
    .argument(`<${holder.noun}>`);
  if (holder.noun === 'instance')
    command.option('-e, --expanded', 'with config and devices from its profiles');
  addExamples(command, [[`${prefix} show ${example(holder)}`, 'config, devices and all other fields']]);
  command.action(async (name: string, options: { expanded?: boolean }) => {
    const session = open(command);
    session.print(await renderYaml(await holder.show(session.client, name, options.expanded === true)));
  });
}

function addEdit(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('edit')
    .summary('replace everything, in an editor or from standard input')
    .description(
      'Replace everything: in $VISUAL or $EDITOR, or with YAML from standard input when that is not a terminal.',
    )
    .argument(`<${holder.noun}>`);
  addExamples(command, [
    [`${prefix} edit ${example(holder)} < saved.yaml`, 'with a file that `show` printed'],
  ]);
  command.action(async (name: string) => {
    const session = open(command);
    await editObject(session, holder.url(name), () => holder.editable(session.client, name));
  });
}
