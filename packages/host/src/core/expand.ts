import type { Config, Devices, Instance, Profile } from './entities.ts';
import { hostError } from './host-errors.ts';
import { recordOf } from './records.ts';

/** Config and devices of an instance with those of its profiles. */
export interface Expanded {
  readonly config: Config;
  readonly devices: Devices;
}

/**
 * Applies profiles in their order, then the instance's own. A later config key wins; a later device replaces
 * an earlier one of its name as a whole. A device `{ type: none }` hides an inherited one and stays visible.
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
