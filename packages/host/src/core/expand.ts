import type { Config, Devices, Instance, Profile } from './entities.ts';
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
 * and is itself part of the result.
 * @throws profile-not-found
 */
export function expand(
  instance: Pick<Instance, 'profiles' | 'config' | 'devices'>,
  profiles: ReadonlyMap<string, Profile>,
): Expanded {
  const layers = [...instance.profiles.map((name) => profileOf(profiles, name)), instance];
  return {
    config: recordOf(layers.flatMap((layer) => Object.entries(layer.config))),
    devices: recordOf(layers.flatMap((layer) => Object.entries(layer.devices))),
  };
}

function profileOf(profiles: ReadonlyMap<string, Profile>, name: string): Profile {
  const profile = profiles.get(name);
  if (!profile) throw hostError('profile-not-found');
  return profile;
}
