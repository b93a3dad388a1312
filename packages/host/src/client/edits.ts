import type { ImageJson } from '../wire/image.ts';
import type { InstanceJson } from '../wire/instance.ts';
import type { ProfileJson } from '../wire/profile.ts';
import { hasStatus } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import type { ImagePut, InstancePut, ProfilePut } from './types.ts';

/** How often a write is tried while other clients change the same object. */
const ATTEMPTS_MAX = 5;

const PRECONDITION_FAILED = 412;

/**
 * Changes an object: reads it, computes the new one, and writes it only if no other client wrote in between;
 * otherwise it starts again from the newer object.
 * @param change pure, because it may be called again; an error that it throws ends the edit
 */
export async function edit<T, P>(client: HostClient, url: string, change: (current: T) => P): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { value, etag } = await client.getTagged<T>(url);
    const headers = etag === undefined ? {} : { 'if-match': etag };
    try {
      await client.change('PUT', url, { json: change(value), headers });
      return;
    } catch (error) {
      if (!hasStatus(error, PRECONDITION_FAILED) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** Changes an instance; the fields that `change` does not give stay. */
export function editInstance(
  client: HostClient,
  name: string,
  change: (current: InstanceJson) => Partial<InstancePut>,
): Promise<void> {
  return edit<InstanceJson, InstancePut>(client, path`/1.0/instances/${name}`, (current) => ({
    ...instancePut(current),
    ...change(current),
  }));
}

/** Changes a profile; the fields that `change` does not give stay. */
export function editProfile(
  client: HostClient,
  name: string,
  change: (current: ProfileJson) => Partial<ProfilePut>,
): Promise<void> {
  return edit<ProfileJson, ProfilePut>(client, path`/1.0/profiles/${name}`, (current) => ({
    ...profilePut(current),
    ...change(current),
  }));
}

/** Changes an image; the fields that `change` does not give stay. */
export function editImage(
  client: HostClient,
  fingerprint: string,
  change: (current: ImageJson) => Partial<ImagePut>,
): Promise<void> {
  return edit<ImageJson, ImagePut>(client, path`/1.0/images/${fingerprint}`, (current) => ({
    ...imagePut(current),
    ...change(current),
  }));
}

/** The part of an instance that can be written back. */
export function instancePut(instance: InstanceJson): InstancePut {
  const { architecture, config, devices, ephemeral, profiles, stateful, description } = instance;
  return { architecture, config, devices, ephemeral, profiles, stateful, description };
}

/** The part of a profile that can be written back. */
export function profilePut({ config, description, devices }: ProfileJson): ProfilePut {
  return { config, description, devices };
}

/** The part of an image that can be written back. */
export function imagePut(image: ImageJson): ImagePut {
  const { auto_update, expires_at, profiles, properties } = image;
  return { auto_update, expires_at, profiles, properties, public: image.public };
}
