import type { Command } from 'commander';
import { ApiError } from '../../client/client-errors.ts';
import type { DeviceMap, StringMap } from '../../client/types.ts';
import { DEVICE_TYPE_NAMES } from '../../core/device-types.ts';
import { own } from '../../core/records.ts';
import { parsePair, parseSettings } from '../arguments.ts';
import { formatOption } from '../format-option.ts';
import { addExamples } from '../help.ts';
import type { ConfigAndDevices, Holder } from '../holders.ts';
import { example, without } from '../holders.ts';
import type { Open } from '../session.ts';
import type { Format } from '../tables.ts';
import { printListing, renderYaml, sorted } from '../tables.ts';

/** `device` of an instance or a profile, and all below it. */
export function addDevice(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const device = parent
    .command('device')
    .description(`Read and change the devices of ${PLURAL[holder.noun]}.`);
  addAdd(device, open, holder, prefix);
  addRemove(device, open, holder, prefix);
  addList(device, open, holder, prefix);
  addShow(device, open, holder, prefix);
  addGet(device, open, holder, prefix);
  addSet(device, open, holder, prefix);
  addUnset(device, open, holder, prefix);
  if (holder.noun === 'instance') addOverride(device, open, holder, prefix);
}

const PLURAL = { instance: 'instances', profile: 'profiles' };

function addAdd(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('add')
    .summary('add a device')
    .description(`Add a device. Types are ${DEVICE_TYPE_NAMES.join(', ')}.`)
    .argument(`<${holder.noun}>`)
    .argument('<device>', 'name of the new device')
    .argument('<type>')
    .argument('[key=value...]');
  addExamples(command, [
    [`${prefix} add ${example(holder)} data disk source=/srv path=/mnt`, 'shares a directory'],
  ]);
  command.action(async (name: string, device: string, type: string, words: readonly string[]) => {
    const session = open(command);
    const options = { ...Object.fromEntries(words.map(parsePair)), type };
    await holder.edit(session.client, name, ({ devices }) => {
      if (Object.hasOwn(devices, device)) throw new ApiError(0, 'The device already exists');
      return { devices: { ...devices, [device]: options } };
    });
    session.note(`Device ${device} added to ${name}`);
  });
}

function addRemove(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('remove').alias('rm').description('Remove devices.');
  command.argument(`<${holder.noun}>`).argument('<device...>');
  addExamples(command, [
    [`${prefix} remove ${example(holder)} data`, 'removes it, also while the instance runs'],
  ]);
  command.action(async (name: string, names: readonly string[]) => {
    const session = open(command);
    await holder.edit(session.client, name, (held) => {
      for (const device of names) requireOwn(held, device, 'removed from');
      return { devices: without(held.devices, names) };
    });
    session.note(`Device ${names.join(', ')} removed from ${name}`);
  });
}

function addList(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('list').alias('ls').description('List the devices.');
  command.argument(`<${holder.noun}>`).addOption(formatOption());
  addExamples(command, [[`${prefix} list ${example(holder)} -f json`, 'for programs']]);
  command.action(async (name: string, options: { format: Format }) => {
    const session = open(command);
    const { devices } = await holder.read(session.client, name);
    const entries = Object.entries(devices);
    await printListing(session, options.format, {
      headers: ['NAME', 'TYPE', 'OPTIONS'],
      rows: entries.map(([device, { type, ...rest }]) => [device, type ?? '', pairs(rest)]),
      objects: entries.map(([device, all]) => ({ name: device, ...all })),
    });
  });
}

function pairs(options: StringMap): string {
  return Object.entries(options)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

function addShow(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('show')
    .description('Print the devices as YAML.')
    .argument(`<${holder.noun}>`);
  if (holder.noun === 'instance') command.option('-e, --expanded', 'with the devices of its profiles');
  addExamples(command, [[`${prefix} show ${example(holder)}`, 'all devices with their options']]);
  command.action(async (name: string, options: { expanded?: boolean }) => {
    const session = open(command);
    const held = await holder.read(session.client, name);
    session.print(await renderYaml(sorted(options.expanded ? held.expandedDevices : held.devices)));
  });
}

function addGet(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('get').description('Print one option of a device.');
  command.argument(`<${holder.noun}>`).argument('<device>').argument('<key>');
  addExamples(command, [[`${prefix} get ${example(holder)} data path`, 'prints its path']]);
  command.action(async (name: string, device: string, key: string) => {
    const session = open(command);
    const held = await holder.read(session.client, name);
    session.data(own(requireOwn(held, device, 'retrieved for'), key) ?? '');
  });
}

function addSet(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('set').description('Set options of a device. An empty value unsets one.');
  command.argument(`<${holder.noun}>`).argument('<device>').argument('<key=value...>');
  addExamples(command, [[`${prefix} set ${example(holder)} data readonly=true`, 'changes one option']]);
  command.action(async (name: string, device: string, words: readonly string[]) => {
    const session = open(command);
    const settings = await parseSettings(words, session.io.stdin);
    await changeDevice(holder, session.client, name, device, (options) => ({ ...options, ...settings }));
  });
}

function addUnset(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent.command('unset').description('Unset an option of a device.');
  command.argument(`<${holder.noun}>`).argument('<device>').argument('<key>');
  addExamples(command, [[`${prefix} unset ${example(holder)} data readonly`, 'back to the default']]);
  command.action(async (name: string, device: string, key: string) => {
    // The daemon refuses options that the type does not have. The client does not know the options of a type.
    const unset = (options: StringMap) =>
      Object.hasOwn(options, key) ? without(options, [key]) : { ...options, [key]: '' };
    await changeDevice(holder, open(command).client, name, device, unset);
  });
}

function addOverride(parent: Command, open: Open, holder: Holder, prefix: string): void {
  const command = parent
    .command('override')
    .summary("copy a profile's device to the instance, and change it")
    .description("Copy a profile's device to the instance, where it can be changed.")
    .argument('<instance>')
    .argument('<device>')
    .argument('[key=value...]');
  addExamples(command, [[`${prefix} override c1 eth0 mtu=1400`, 'eth0 as in the profile, with another MTU']]);
  command.action(async (name: string, device: string, words: readonly string[]) => {
    const session = open(command);
    const settings = Object.fromEntries(words.map(parsePair));
    await holder.edit(session.client, name, ({ devices, expandedDevices }) => {
      if (Object.hasOwn(devices, device)) throw new ApiError(0, 'The device already exists');
      if (!Object.hasOwn(expandedDevices, device)) throw new ApiError(0, "The profile device doesn't exist");
      return { devices: { ...devices, [device]: { ...expandedDevices[device], ...settings } } };
    });
    session.note(`Device ${device} overridden for ${name}`);
  });
}

async function changeDevice(
  holder: Holder,
  client: Parameters<Holder['edit']>[0],
  name: string,
  device: string,
  change: (options: StringMap) => StringMap,
): Promise<void> {
  await holder.edit(client, name, (held) => {
    const devices: DeviceMap = {
      ...held.devices,
      [device]: change(requireOwn(held, device, 'modified for')),
    };
    return { devices };
  });
}

/** The device if the object itself has it; the error texts are those of LXD's client. */
function requireOwn(held: ConfigAndDevices, device: string, done: string): StringMap {
  if (Object.hasOwn(held.devices, device)) return held.devices[device]!;
  if (!Object.hasOwn(held.expandedDevices, device)) throw new ApiError(0, "Device doesn't exist");
  throw new ApiError(
    0,
    `Device from profile(s) cannot be ${done} individual instance. Override device or modify profile instead`,
  );
}
