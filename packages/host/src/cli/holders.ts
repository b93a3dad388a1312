import { editInstance, editProfile, instancePut, profilePut } from '../client/edits.ts';
import type { HostClient } from '../client/host-client.ts';
import { path } from '../client/host-client.ts';
import type { DeviceMap, StringMap } from '../client/types.ts';
import type { InstanceJson } from '../wire/instance.ts';
import type { ProfileJson } from '../wire/profile.ts';
import { sorted } from './tables.ts';

/** The common part of instances and profiles. */
export interface ConfigAndDevices {
  readonly config: StringMap;
  readonly devices: DeviceMap;
  /** Including profiles; for a profile the same as `config`. */
  readonly expandedConfig: StringMap;
  readonly expandedDevices: DeviceMap;
}

/** A kind of object that holds config and devices. */
export interface Holder {
  /** Also the name of the argument, which tells tab completion what to offer. */
  readonly noun: 'instance' | 'profile';
  url(name: string): string;
  read(client: HostClient, name: string): Promise<ConfigAndDevices>;
  edit(
    client: HostClient,
    name: string,
    change: (held: ConfigAndDevices) => Partial<Pick<ConfigAndDevices, 'config' | 'devices'>>,
  ): Promise<void>;
  /** The whole object as YAML shows it. */
  show(client: HostClient, name: string, expanded: boolean): Promise<object>;
  /** The object as an editor shows it. */
  editable(
    client: HostClient,
    name: string,
  ): Promise<{ readonly value: object; readonly etag: string | undefined }>;
}

export const INSTANCE_HOLDER: Holder = {
  noun: 'instance',
  url: (name) => path`/1.0/instances/${name}`,
  read: async (client, name) => instanceHeld(await client.get<InstanceJson>(path`/1.0/instances/${name}`)),
  edit: (client, name, change) => editInstance(client, name, (current) => change(instanceHeld(current))),
  async show(client, name, expanded) {
    const instance = await client.get<InstanceJson>(path`/1.0/instances/${name}`);
    const config = sorted(expanded ? instance.expanded_config : instance.config);
    const devices = sorted(expanded ? instance.expanded_devices : instance.devices);
    return { ...instancePut(instance), config, devices };
  },
  async editable(client, name) {
    const { value, etag } = await client.getTagged<InstanceJson>(path`/1.0/instances/${name}`);
    return {
      value: { ...instancePut(value), config: sorted(value.config), devices: sorted(value.devices) },
      etag,
    };
  },
};

export const PROFILE_HOLDER: Holder = {
  noun: 'profile',
  url: (name) => path`/1.0/profiles/${name}`,
  read: async (client, name) => profileHeld(await client.get<ProfileJson>(path`/1.0/profiles/${name}`)),
  edit: (client, name, change) => editProfile(client, name, (current) => change(profileHeld(current))),
  show: async (client, name) => {
    const { config, description, devices, used_by, ...rest } = await client.get<ProfileJson>(
      path`/1.0/profiles/${name}`,
    );
    return { config: sorted(config), description, devices: sorted(devices), name: rest.name, used_by };
  },
  async editable(client, name) {
    const { value, etag } = await client.getTagged<ProfileJson>(path`/1.0/profiles/${name}`);
    return {
      value: { ...profilePut(value), config: sorted(value.config), devices: sorted(value.devices) },
      etag,
    };
  },
};

function instanceHeld(instance: InstanceJson): ConfigAndDevices {
  return {
    config: instance.config,
    devices: instance.devices,
    expandedConfig: instance.expanded_config,
    expandedDevices: instance.expanded_devices,
  };
}

function profileHeld({ config, devices }: ProfileJson): ConfigAndDevices {
  return { config, devices, expandedConfig: config, expandedDevices: devices };
}

/** A map without some of its keys. */
export function without<T>(map: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

/** A name for the examples. */
export function example(holder: Holder): string {
  return holder.noun === 'instance' ? 'c1' : 'web';
}
