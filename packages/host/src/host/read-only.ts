import { isAdopted } from '../core/adopted.ts';
import { isRootDisk, POOL } from '../core/device-table.ts';
import type { Device, Devices } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { own } from '../core/records.ts';
import type { InstanceInfo } from '../instances/requests.ts';
import { type HostNetworkJson, PROJECT, type ProjectJson, type StoragePoolJson } from '../wire/read-only.ts';
import type { HostBackend } from './backend.ts';
import { type Answer, type Call, type Edge, param, recursionOf, sync, urlOf } from './call.ts';
import { STORAGE_DRIVER } from './server-info.ts';

const NETWORKS = '/1.0/networks';
const POOLS = '/1.0/storage-pools';
const PROJECTS = '/1.0/projects';

/**
 * LXD's list has all interfaces of the host, so it is never empty: Ansible's inventory fails if it is. This one has
 * only the loopback interface and those that a nic can have as its `parent`.
 */
const LOOPBACK = 'lo';

/** GET /1.0/networks. */
export async function listNetworks(edge: Edge, call: Call): Promise<Answer> {
  const names = await networkNames(edge);
  return list(call, NETWORKS, names, (name) => networkJson(edge.backend, name));
}

/** GET /1.0/networks/NAME. */
export async function getNetwork(edge: Edge, call: Call): Promise<Answer> {
  const name = param(call, 'name');
  if (!(await networkNames(edge)).includes(name)) throw hostError('network-not-found');
  return sync(networkJson(edge.backend, name));
}

/** GET /1.0/storage-pools. */
export function listPools({ backend }: Edge, call: Call): Answer {
  return list(call, POOLS, [POOL], () => poolJson(backend, call));
}

/** GET /1.0/storage-pools/NAME. */
export function getPool({ backend }: Edge, call: Call): Answer {
  if (param(call, 'name') !== POOL) throw hostError('pool-not-found');
  return sync(poolJson(backend, call));
}

/** GET /1.0/projects. */
export function listProjects({ backend }: Edge, call: Call): Answer {
  return list(call, PROJECTS, [PROJECT], () => projectJson(backend));
}

/** GET /1.0/projects/NAME. */
export function getProject({ backend }: Edge, call: Call): Answer {
  if (param(call, 'name') !== PROJECT) throw hostError('project-not-found');
  return sync(projectJson(backend));
}

function list(call: Call, path: string, names: readonly string[], json: (name: string) => object): Answer {
  return sync(names.map((name) => (recursionOf(call) > 0 ? json(name) : urlOf(path, name))));
}

async function networkNames({ bridges }: Edge): Promise<string[]> {
  return [LOOPBACK, ...(await bridges())];
}

/** As LXD shows a network that it does not manage. */
function networkJson(backend: HostBackend, name: string): HostNetworkJson {
  const isOnIt = (device: Device) => own(device, 'type') === 'nic' && own(device, 'parent') === name;
  const has = (devices: Devices) => Object.values(devices).some(isOnIt);
  return {
    name,
    description: '',
    type: name === LOOPBACK ? 'loopback' : 'bridge',
    managed: false,
    status: '',
    config: {},
    used_by: usedBy(backend, ({ expandedDevices }) => has(expandedDevices), has),
    locations: null,
  };
}

/** In a fleet each member has its own pool of this name; as with LXD, `target` shows that of one member. */
function poolJson(backend: HostBackend, { query }: Call): StoragePoolJson {
  const { fleet, server } = backend;
  // The files of an adopted instance are not here, also if a profile gives it a root disk.
  const isHere = ({ instance }: InstanceInfo) => !isAdopted(instance.config);
  return {
    name: POOL,
    description: '',
    driver: STORAGE_DRIVER,
    status: 'Created',
    config: !fleet || query.get('target') === fleet.own ? { source: server.stateDir } : {},
    used_by: usedBy(backend, isHere, (devices) => Object.values(devices).some(isRootDisk)),
    locations: fleet?.members().map(({ name }) => name) ?? ['none'],
  };
}

function projectJson(backend: HostBackend): ProjectJson {
  const features = ['images', 'networks', 'profiles', 'storage.volumes'];
  const images = backend.images.list().map(({ image }) => urlOf('/1.0/images', image.fingerprint));
  const others = [...(backend.fleet?.others() ?? [])].map(({ name }) => urlOf('/1.0/instances', name));
  return {
    name: PROJECT,
    description: 'Default Porthole project',
    config: Object.fromEntries(features.map((name) => [`features.${name}`, 'true'])),
    used_by: [...usedBy(backend), ...others, ...images],
  };
}

/** URLs of the instances and profiles that use something; without conditions, of all. */
function usedBy(
  backend: HostBackend,
  isInstance: (info: InstanceInfo) => boolean = () => true,
  isProfile: (devices: Devices) => boolean = () => true,
): string[] {
  const instances = backend.instances.list().filter(isInstance);
  const profiles = backend.profiles.list().filter(({ profile }) => isProfile(profile.devices));
  return [
    ...instances.map(({ instance }) => urlOf('/1.0/instances', instance.name)),
    ...profiles.map(({ profile }) => urlOf('/1.0/profiles', profile.name)),
  ];
}
