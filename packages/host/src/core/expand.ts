import { isAdopted } from './adopted.ts';
import { isRootDisk } from './device-table.ts';
import type { Config, Device, Devices, Instance, Profile } from './entities.ts';
import { hostError } from './host-errors.ts';
import { recordOf } from './records.ts';

/** Expanded config and devices: those of an instance, with those of its profiles below them. */
export interface Expanded {
  readonly config: Config;
  readonly devices: Devices;
}

/**
 * Applies profiles in their order, then config and devices of the instance. A later config key wins; a later
 * device replaces an earlier one of that name as a whole. A device `{ type: none }` masks an inherited one
 * and is itself part of the result. An adopted instance takes no size of a root disk from a profile: its root belongs to
 * another runtime, and a size that is the default of all instances must not keep it from being adopted.
 * @throws profile-not-found
 */
export function expand(
  instance: Pick<Instance, 'profiles' | 'config' | 'devices'>,
  profiles: ReadonlyMap<string, Profile>,
): Expanded {
  const inherited = instance.profiles.map((name) => profileOf(profiles, name));
  const layers = [...(isAdopted(instance.config) ? inherited.map(withoutSize) : inherited), instance];
  return {
    config: recordOf(layers.flatMap((layer) => Object.entries(layer.config))),
    devices: recordOf(layers.flatMap((layer) => Object.entries(layer.devices))),
  };
}

type Layer = Pick<Profile, 'config' | 'devices'>;

function withoutSize({ config, devices }: Layer): Layer {
  const unsized = (device: Device): Device => {
    if (!isRootDisk(device)) return device;
    const { size: _, ...others } = device;
    return others;
  };
  return {
    config,
    devices: recordOf(Object.entries(devices).map(([name, device]) => [name, unsized(device)])),
  };
}

function profileOf(profiles: ReadonlyMap<string, Profile>, name: string): Profile {
  const profile = profiles.get(name);
  if (!profile) throw hostError('profile-not-found');
  return profile;
}
