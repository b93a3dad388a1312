import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { isYamlMap } from '../../base/yaml-map.ts';
import type { HostClient } from '../../client/host-client.ts';
import { path } from '../../client/host-client.ts';
import type { DeviceMap, StringMap } from '../../client/types.ts';
import { own, recordOf } from '../../core/records.ts';
import type { ProfileJson } from '../../wire/profile.ts';
import { collectDevice, collectNames, collectPair } from '../arguments.ts';
import { addExamples } from '../help.ts';
import { templateWarnings } from '../image-text.ts';
import { readAll } from '../io.ts';
import { findImage } from '../lookup.ts';
import type { Open, Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { parseObject } from '../yaml-input.ts';
import { changeState } from './state.ts';

interface CreateOptions {
  readonly config?: StringMap;
  readonly device?: DeviceMap;
  readonly profile?: readonly string[];
  /** False with --no-profiles. */
  readonly profiles: boolean;
  readonly ephemeral?: boolean;
  readonly empty?: boolean;
  readonly configFile?: string;
  readonly target?: string;
  readonly description?: string;
}

/** The keys of a `--config-file`. */
interface ConfigFile {
  readonly description?: string;
  readonly config?: StringMap;
  readonly devices?: DeviceMap;
  readonly profiles?: readonly string[];
}

/** `launch` and `init`. */
export function addCreate(program: Command, open: Open): void {
  const launch = createCommand(program, 'launch', 'create and start instances from images');
  addExamples(launch, [
    ['porthole launch busybox c1', 'an instance named c1 from the image with the alias busybox'],
    ['porthole launch busybox c1 -c user.role=web -p default -p web', 'with a config key and two profiles'],
    ['porthole launch busybox -e', 'with a generated name, which is printed; deleted when it stops'],
    ['porthole launch busybox c1 --config-file - < c1.yaml', 'config, devices and profiles from YAML'],
    ['porthole launch busybox c1 --target mb', 'on the member mb of a fleet'],
  ]);
  launch.action(async (image: string | undefined, name: string | undefined, options: CreateOptions) => {
    const session = open(launch);
    const created = await create(session, image, name, options);
    session.note(`Starting ${created}`);
    await changeState(session, created, { action: 'start', timeout: -1, force: false });
    session.progress.clear();
  });

  const init = createCommand(program, 'init', 'create instances from images');
  addExamples(init, [
    ['porthole init busybox c1', 'an instance that is not started yet'],
    ['porthole init --empty c2', 'an instance with an empty root filesystem'],
  ]);
  init.action(async (image: string | undefined, name: string | undefined, options: CreateOptions) => {
    const session = open(init);
    await create(session, image, name, options);
    session.progress.clear();
  });
}

function createCommand(program: Command, verb: string, summary: string): Command {
  return program
    .command(verb)
    .summary(summary)
    .description(
      `${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\nWithout a name the daemon chooses one, which is printed on ` +
        'standard output. Standard input is read only with `--config-file -`.',
    )
    .argument('[image]', 'alias or fingerprint; none with --empty')
    .argument('[name]', 'name of the new instance')
    .option('-c, --config <key=value>', 'config key; can be repeated', collectPair)
    .option(
      '-d, --device <device,key=value>',
      "change a profile's device, or add one with type=",
      collectDevice,
    )
    .option('-p, --profile <profile>', 'profile to apply; can be repeated, in order', collectNames)
    .option('--no-profiles', 'apply no profile, not even default')
    .option('-e, --ephemeral', 'delete the instance when it stops')
    .option('--empty', 'an empty root filesystem instead of an image')
    .option('--description <text>', 'a description')
    .option('--target <member>', 'the member of the fleet that makes it (default: the one with the fewest)')
    .option('--config-file <file>', 'YAML with config, devices, profiles; `-` reads standard input');
}

/** Makes an instance. @returns its name */
async function create(
  session: Session,
  image: string | undefined,
  name: string | undefined,
  options: CreateOptions,
): Promise<string> {
  if (options.empty && name !== undefined) throw new UsageError('--empty takes a name, but no image');
  if (!options.empty && image === undefined) throw new UsageError('Name an image, or give --empty');
  if (options.profile && !options.profiles) throw new UsageError('Both --profile and --no-profiles given');
  const wanted = (options.empty ? image : name) ?? '';
  const file = await readConfigFile(session, options.configFile);
  const profiles = options.profiles ? (options.profile ?? file.profiles ?? null) : [];
  const source = options.empty ? { type: 'none' } : await imageSource(session, image as string);
  session.note(wanted ? `Creating ${wanted}` : 'Creating the instance');
  const target = options.target === undefined ? '' : path`?target=${options.target}`;
  const operation = await session.client.change('POST', `/1.0/instances${target}`, {
    json: {
      name: wanted,
      type: 'container',
      description: options.description ?? file.description ?? '',
      ephemeral: options.ephemeral === true,
      profiles,
      config: { ...file.config, ...options.config },
      devices: await overlayDevices(session.client, profiles, file.devices ?? {}, options.device ?? {}),
      source,
    },
  });
  if (wanted) return wanted;
  const chosen = operation?.resources?.['instances']?.[0]?.split('/').at(-1) ?? '';
  session.progress.clear();
  session.print(chosen);
  return chosen;
}

async function imageSource(session: Session, name: string): Promise<object> {
  const image = await findImage(session.client, name);
  for (const warning of templateWarnings(image)) session.note(warning);
  return { type: 'image', fingerprint: image.fingerprint };
}

async function readConfigFile(session: Session, file: string | undefined): Promise<ConfigFile> {
  if (file === undefined) return {};
  const text = file === '-' ? await readAll(session.io.stdin) : await readFile(file, 'utf8');
  const value = await parseObject(text, {});
  if (!value) throw new UsageError(`${file} is not a YAML map`);
  const known = ['description', 'config', 'devices', 'profiles'];
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown) throw new UsageError(`${file}: unknown key "${unknown}"; known are ${known.join(', ')}`);
  for (const key of ['config', 'devices']) {
    if (!isYamlMap(value[key] ?? {})) throw new UsageError(`${file}: ${key} is not a map`);
  }
  return value as ConfigFile;
}

/** A device is sent as a whole: as in the file or the profiles, with the given options changed. */
async function overlayDevices(
  client: HostClient,
  profiles: readonly string[] | null,
  given: DeviceMap,
  overlays: DeviceMap,
): Promise<DeviceMap> {
  if (Object.keys(overlays).length === 0) return given;
  const inherited = await profileDevices(client, profiles ?? ['default']);
  const merged = Object.entries(overlays).map(([device, options]) => {
    const base = own(given, device) ?? own(inherited, device) ?? {};
    const whole = { ...base, ...options };
    if (whole['type']) return [device, whole] as const;
    throw new UsageError(
      `No profile has a device "${device}": to add one, give its type, as in ${device},type=disk`,
    );
  });
  return { ...given, ...Object.fromEntries(merged) };
}

async function profileDevices(client: HostClient, names: readonly string[]): Promise<DeviceMap> {
  const profiles = await Promise.all(
    names.map((name) => client.get<ProfileJson>(path`/1.0/profiles/${name}`)),
  );
  return recordOf(profiles.flatMap((profile) => Object.entries(profile.devices)));
}
