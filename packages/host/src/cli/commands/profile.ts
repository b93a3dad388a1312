import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import { editInstance } from '../../client/edits.ts';
import { path } from '../../client/host-client.ts';
import type { ProfileJson } from '../../wire/profile.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import { PROFILE_HOLDER } from '../holders.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { printListing } from '../tables.ts';
import { compareNames } from '../text.ts';
import { addKeys } from './config.ts';
import { addDevice } from './device.ts';

/** `profile` and all below it. */
export function addProfile(program: Command, open: Open): void {
  const profile = program
    .command('profile')
    .summary('manage profiles')
    .description('Manage profiles: config and devices that several instances share.');
  addCreate(profile, open);
  addList(profile, open);
  addKeys(profile, open, PROFILE_HOLDER, 'porthole profile');
  addDelete(profile, open);
  addRename(profile, open);
  addCopy(profile, open);
  addMembership(profile, open);
  addDevice(profile, open, PROFILE_HOLDER, 'porthole profile device');
}

function addCreate(parent: Command, open: Open): void {
  const command = parent
    .command('create')
    .description('Make an empty profile.')
    .argument('<name>')
    .option('--description <text>', 'a description', '');
  addExamples(command, [['porthole profile create web', 'a profile named web']]);
  command.action(async (name: string, { description }: { description: string }) => {
    const session = open(command);
    await session.client.change('POST', '/1.0/profiles', {
      json: { name, description, config: {}, devices: {} },
    });
    session.note(`Profile ${name} created`);
  });
}

function addList(parent: Command, open: Open): void {
  const command = parent.command('list').alias('ls').description('List profiles.').addOption(formatOption());
  addExamples(command, [['porthole profile list', 'with the number of instances that use each']]);
  command.action(async (options: { format: Format }) => {
    const session = open(command);
    const profiles = await session.client.get<readonly ProfileJson[]>('/1.0/profiles?recursion=1');
    const sorted = [...profiles].sort((a, b) => compareNames(a.name, b.name));
    await printListing(session, options.format, {
      headers: ['NAME', 'DESCRIPTION', 'USED BY'],
      rows: sorted.map((profile) => [profile.name, profile.description, String(profile.used_by.length)]),
      objects: sorted,
    });
  });
}

function addDelete(parent: Command, open: Open): void {
  const command = parent.command('delete').alias('rm').description('Delete a profile that no instance uses.');
  command.argument('<profile>');
  addExamples(command, [['porthole profile delete web', 'refused while an instance uses it']]);
  command.action(async (name: string) => {
    const session = open(command);
    await session.client.change('DELETE', path`/1.0/profiles/${name}`);
    session.note(`Profile ${name} deleted`);
  });
}

function addRename(parent: Command, open: Open): void {
  const command = parent.command('rename').alias('mv').description('Give a profile another name.');
  command.argument('<profile>').argument('<new-name>');
  addExamples(command, [['porthole profile rename web frontend', 'its instances keep it']]);
  command.action(async (name: string, to: string) => {
    const session = open(command);
    await session.client.change('POST', path`/1.0/profiles/${name}`, { json: { name: to } });
    session.note(`Profile ${name} renamed to ${to}`);
  });
}

function addCopy(parent: Command, open: Open): void {
  const command = parent.command('copy').alias('cp').description('Make a new profile from another.');
  command.argument('<profile>').argument('<new-name>');
  addExamples(command, [['porthole profile copy default web', 'web begins as a copy of default']]);
  command.action(async (name: string, to: string) => {
    const { client } = open(command);
    const { config, devices, description } = await client.get<ProfileJson>(path`/1.0/profiles/${name}`);
    await client.change('POST', '/1.0/profiles', { json: { name: to, description, config, devices } });
  });
}

function addMembership(parent: Command, open: Open): void {
  const add = parent.command('add').description('Apply one more profile to an instance, after the others.');
  add.argument('<instance>').argument('<profile>');
  addExamples(add, [['porthole profile add c1 web', 'c1 gets the config and devices of web']]);
  add.action(async (name: string, profile: string) => {
    const session = open(add);
    await editInstance(session.client, name, ({ profiles }) => ({ profiles: [...profiles, profile] }));
    session.note(`Profile ${profile} added to ${name}`);
  });

  const remove = parent.command('remove').description('Remove a profile from an instance.');
  remove.argument('<instance>').argument('<profile>');
  addExamples(remove, [['porthole profile remove c1 web', 'c1 loses the config and devices of web']]);
  remove.action(async (name: string, profile: string) => {
    const session = open(remove);
    await editInstance(session.client, name, ({ profiles }) => {
      if (!profiles.includes(profile))
        throw new ApiError(0, `Profile ${profile} isn't currently applied to ${name}`);
      return { profiles: profiles.filter((one) => one !== profile) };
    });
    session.note(`Profile ${profile} removed from ${name}`);
  });

  const assign = parent.command('assign').alias('apply').description('Replace the profiles of an instance.');
  assign
    .argument('<instance>')
    .argument('<profiles>', 'names in order, separated by commas; an empty text for none');
  addExamples(assign, [
    ['porthole profile assign c1 default,web', 'these two, in this order'],
    ['porthole profile assign c1 ""', 'no profile at all'],
  ]);
  assign.action(async (name: string, list: string) => {
    const session = open(assign);
    const profiles = list.split(',').filter((one) => one !== '');
    await editInstance(session.client, name, () => ({ profiles }));
    session.note(`Profiles ${profiles.join(', ') || '(none)'} applied to ${name}`);
  });
}
