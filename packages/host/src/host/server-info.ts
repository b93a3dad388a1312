import { hostError } from '../core/host-errors.ts';
import { PROJECT } from '../wire/read-only.ts';
import { parseServerConfig, type ServerJson } from '../wire/server.ts';
import { type Answer, type Call, done, type Edge, ifMatch, sync } from './call.ts';
import { fleetStateJson } from './cluster.ts';
import { preconditionOf, serverEtag } from './etag.ts';

/** The driver of the storage pool: the name that LXD has for plain directories. */
export const STORAGE_DRIVER = 'dir';

/** Extensions that clients may rely on beyond version 1.0 of the API; only those that are served. */
export const API_EXTENSIONS: readonly string[] = [
  'instances',
  'api_filtering',
  'container_full',
  'instance_get_full',
  'container_exec_user_group_cwd',
  'console',
  'directory_manipulation',
  'file_symlinks',
  'file_delete',
  'file_append',
  'instance_ready_state',
  'instance_bulk_state_change',
  'network',
  'storage',
  'projects',
  'clustering',
  'clustering_architecture',
  'event_location',
  'porthole_event_since',
  'porthole_image_cached',
  'porthole_adopt',
  'porthole_backups',
  'porthole_fleet',
];

/** GET / */
export function listVersions(): Answer {
  return sync(['/1.0']);
}

/** GET /1.0 */
export async function getServer({ backend }: Edge): Promise<Answer> {
  const { server } = backend;
  const [driverVersion, lxcfs] = await Promise.all([server.driverVersion(), server.lxcfs()]);
  return sync(serverJson(backend, { driverVersion, lxcfs }), serverEtag());
}

/** PUT and PATCH /1.0: there are no keys to set. */
export async function setServerConfig(_edge: Edge, call: Call): Promise<Answer> {
  const config = parseServerConfig(await call.json());
  preconditionOf<void>(ifMatch(call), serverEtag)();
  for (const [key, value] of Object.entries(config)) {
    throw hostError('bad-request', `cannot set '${key}' to '${value}': unknown key`);
  }
  return done();
}

function serverJson(
  backend: Edge['backend'],
  { driverVersion, lxcfs }: { readonly driverVersion: string; readonly lxcfs: string },
): ServerJson {
  const { server: facts, backups } = backend;
  return {
    config: {},
    api_extensions: API_EXTENSIONS,
    api_status: 'stable',
    api_version: '1.0',
    auth: 'trusted',
    public: false,
    auth_methods: ['tls'],
    environment: environmentJson(backend, driverVersion),
    porthole: {
      version: facts.version,
      state_dir: facts.stateDir,
      identification: facts.identification,
      fast_lane: facts.fastLane(),
      lxcfs,
      machines: facts.machines(),
      backups: backups.state(),
      fleet: fleetStateJson(backend),
    },
  };
}

function environmentJson(
  { server: facts, fleet }: Edge['backend'],
  driverVersion: string,
): ServerJson['environment'] {
  return {
    addresses: [],
    architectures: [facts.architecture],
    certificate: '',
    certificate_fingerprint: '',
    driver: facts.driver,
    driver_version: driverVersion,
    kernel: 'Linux',
    kernel_architecture: facts.architecture,
    kernel_version: facts.kernelVersion,
    os_name: facts.osName,
    os_version: facts.osVersion,
    project: PROJECT,
    server: 'porthole',
    server_version: facts.version,
    server_name: fleet?.own ?? facts.name,
    server_pid: facts.pid,
    server_clustered: fleet !== null,
    // Not empty: LXD's client would tell its user to set up storage first.
    storage: STORAGE_DRIVER,
    storage_version: '1',
  };
}
