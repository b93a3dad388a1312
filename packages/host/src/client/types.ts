import type { ImageJson } from '../wire/image.ts';
import type { InstanceJson } from '../wire/instance.ts';
import type { ProfileJson } from '../wire/profile.ts';

/** Config keys, device options or properties. */
export type StringMap = Readonly<Record<string, string>>;
/** Devices by name. */
export type DeviceMap = Readonly<Record<string, StringMap>>;

/** The part of an instance that a PUT replaces. */
export type InstancePut = Pick<
  InstanceJson,
  'architecture' | 'config' | 'devices' | 'ephemeral' | 'profiles' | 'stateful' | 'description'
>;

/** The part of a profile that a PUT replaces. */
export type ProfilePut = Pick<ProfileJson, 'description' | 'config' | 'devices'>;

/** The part of an image that a PUT replaces. */
export type ImagePut = Pick<ImageJson, 'public' | 'auto_update' | 'properties' | 'profiles' | 'expires_at'>;
