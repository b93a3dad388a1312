import { NEVER, timestamp } from '../base/clock.ts';
import { CodedError, messageOf } from '../base/coded-error.ts';
import { withAdopted } from '../core/adopted.ts';
import { checkConfig, withoutEmpty } from '../core/config-keys.ts';
import { checkDevices, checkExpandedDevices, checkRootDisk } from '../core/devices.ts';
import type { Devices, Image, Instance } from '../core/entities.ts';
import { expand } from '../core/expand.ts';
import { findImage } from '../core/find-image.ts';
import { hostError } from '../core/host-errors.ts';
import { checkInstanceName, generateName } from '../core/names.ts';
import { imageConfig, newVolatile, withTemplates } from '../core/volatile.ts';
import { canonicalArchitecture, hostArchitecture } from '../images/architectures.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Operation } from '../model/operation.ts';
import type { OperationHandle } from '../model/operations.ts';
import { adoptProcess } from './adopt.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { NewInstance } from './requests.ts';

/** The names of instances that are being created, and the last id that was given to one. */
export interface Reserved {
  readonly names: Set<string>;
  lastId: number;
}

/**
 * Starts the creation of an instance. The record is written last: until then there is no instance, and a
 * crash leaves only files, which the next start removes.
 * @throws invalid-name, profile-missing, image-not-found, alias-not-found; the operation has other errors
 */
export function createInstance(
  context: RunNeeds & Needs<'adopter' | 'operations' | 'random'>,
  reserved: Reserved,
  input: NewInstance,
  by: Requestor | null,
): Operation {
  const { model, operations } = context;
  const taken = (name: string) => model.hasInstance(name) || reserved.names.has(name);
  const name = input.name || generateName(context.random, taken);
  checkInstanceName(name);
  const image = imageOf(context, input);
  const profiles = input.profiles ?? (image?.profiles.length ? image.profiles : ['default']);
  for (const profile of profiles) {
    if (!model.state.profiles.has(profile)) throw hostError('profile-missing', profile);
  }
  return operations.run({
    description: 'Creating instance',
    resources: { instances: [name] },
    work: async (handle) => {
      if (taken(name)) throw hostError('instance-exists');
      reserved.names.add(name);
      try {
        await create(context, reserved, { ...input, name, profiles, by }, image, handle);
      } finally {
        reserved.names.delete(name);
      }
      return undefined;
    },
  });
}

function imageOf(context: Needs<'model'>, { source }: NewInstance): Image | null {
  if (source.type !== 'image') return null;
  if ('fingerprint' in source) return findImage(context.model.state, source.fingerprint);
  const alias = context.model.state.aliases.get(source.alias);
  if (!alias) throw hostError('alias-not-found');
  return findImage(context.model.state, alias.target);
}

async function create(
  context: RunNeeds & Needs<'adopter' | 'random'>,
  reserved: Reserved,
  input: NewInstance & { profiles: readonly string[]; by: Requestor | null },
  image: Image | null,
  handle: OperationHandle,
): Promise<void> {
  const { model, roots, clock } = context;
  reserved.lastId = Math.max(reserved.lastId + 1, model.nextInstanceId());
  const instance = draft(context, reserved.lastId, input, image, timestamp(clock));
  await checkOnHost(context, instance);
  const created = lifecycle('instance-created', 'instances', instance.name, {
    context: { type: 'container', 'storage-pool': 'default' },
  });
  if (input.source.type === 'adopt')
    return adoptProcess(context, instance, input.source, input.by, [created]);
  const runtime = context.runtimeOf(instance.config);
  const { config } = expand(instance, model.state.profiles);
  const lookUp = (fingerprint: string) => model.state.images.get(fingerprint);
  const tell = (percent: number) =>
    handle.report({ create_instance_from_image_unpack_progress: `Unpack: ${percent}%` });
  try {
    model.commit([{ kind: 'give-instance-id', id: instance.id }]);
    await roots.ensure(instance, runtime.hostIds(config), lookUp, tell);
    if (image) await roots.keepTemplates(image);
    await runtime.create(instance.id, config);
    // Meanwhile the image may have been changed, or deleted together with its root.
    const latest = image && lookUp(image.fingerprint);
    if (image && !latest) throw hostError('image-not-found');
    const used = latest
      ? [{ kind: 'put-image', image: { ...latest, lastUsedAt: instance.createdAt } } as const]
      : [];
    await model.change(() => {
      if (model.hasInstance(instance.name)) throw hostError('instance-exists');
      return { changes: [...used, { kind: 'put-instance', instance }], events: [created] };
    });
  } catch (error) {
    await runtime.remove(instance.id);
    throw error;
  }
}

/** The record of the new instance, checked. @throws create-failed */
function draft(
  { model, random, adopter, runtimeOf }: Needs<'adopter' | 'model' | 'random' | 'runtimeOf'>,
  id: number,
  input: NewInstance & { profiles: readonly string[] },
  image: Image | null,
  now: string,
): Instance {
  const { source } = input;
  const init = source.type === 'adopt' ? (source.init ?? adopter.nameOf(source.pid)) : null;
  const own = { ...input.config, ...(image ? imageConfig(image) : {}) };
  const wanted: Instance = {
    id,
    name: input.name,
    architecture: image?.architecture ?? checkedArchitecture(input.architecture),
    description: input.description,
    ephemeral: input.ephemeral,
    profiles: input.profiles,
    config: withAdopted(withoutEmpty(own), init),
    devices: input.devices,
    createdAt: now,
    lastStartedAt: NEVER,
  };
  try {
    if (new Set(input.profiles).size !== input.profiles.length) throw hostError('profile-duplicate');
    checkConfig(own, 'instance');
    const checked = { ...wanted, devices: checkDevices(wanted.devices) };
    const { config, devices } = expand(checked, model.state.profiles);
    if (!init) checkRoot(devices);
    checkExpandedDevices(devices, withAdopted({}, init));
    runtimeOf(config).checkConfig(config);
    const made = newVolatile(checked, devices, random);
    return { ...checked, config: image ? withTemplates(made, 'create') : made };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw hostError('create-failed', error.message);
  }
}

/** As with LXD, a request says the architecture of an instance without an image only. @throws create-failed */
function checkedArchitecture(wanted: string): string {
  if (wanted === '') return hostArchitecture();
  const name = canonicalArchitecture(wanted);
  if (name === undefined) throw hostError('create-failed', `Architecture isn't supported: ${wanted}`);
  return name;
}

/** Checks that the host has what the instance's devices need. @throws create-failed */
async function checkOnHost(
  { model, runtimeOf }: Needs<'model' | 'runtimeOf'>,
  instance: Instance,
): Promise<void> {
  const { config, devices } = expand(instance, model.state.profiles);
  const runtime = runtimeOf(config);
  try {
    for (const [name, device] of Object.entries(devices)) await runtime.checkDevice(name, device);
  } catch (error) {
    throw hostError('create-failed', messageOf(error));
  }
}

/** LXD prefixes this failure with other words at a creation than at an update. */
function checkRoot(devices: Devices): void {
  try {
    checkRootDisk(devices);
  } catch (error) {
    throw hostError(
      'bad-request',
      `Failed initialising instance: Failed getting root disk: ${messageOf(error)}`,
    );
  }
}
