import {
  createAlias,
  deleteAlias,
  getAlias,
  listAliases,
  patchAlias,
  renameAlias,
  updateAlias,
} from './aliases.ts';
import { createBackup, listBackups } from './backups.ts';
import { type Handler, sync } from './call.ts';
import {
  changeCluster,
  disableCluster,
  enableCluster,
  getCluster,
  getMember,
  listMembers,
  removeMember,
} from './cluster.ts';
import { attachToConsole, clearConsole, getConsole } from './console.ts';
import { deleteFile, getFile, headFile, postFile } from './files.ts';
import { countImageFiles, sendImageFile, waitUntilApplied } from './fleet-routes.ts';
import { exportImage } from './image-export.ts';
import { uploadImage } from './image-upload.ts';
import { deleteImage, getImage, listImages, patchImage, updateImage } from './images.ts';
import {
  createInstance,
  deleteInstance,
  execInInstance,
  getInstance,
  getState,
  listInstances,
  patchInstance,
  renameInstance,
  setState,
  setStates,
  updateInstance,
} from './instances.ts';
import { getLog } from './logs.ts';
import { cancelOperation, getOperation, listOperations, waitForOperation } from './operations.ts';
import {
  createProfile,
  deleteProfile,
  getProfile,
  listProfiles,
  patchProfile,
  renameProfile,
  updateProfile,
} from './profiles.ts';
import { getNetwork, getPool, getProject, listNetworks, listPools, listProjects } from './read-only.ts';
import { getServer, listVersions, setServerConfig } from './server-info.ts';
import { connectExec, listenToEvents, needsUpgrade, type UpgradeHandler } from './websockets.ts';

/** The methods that a request may have; those that a route does not have are answered with 501. */
export const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof METHODS)[number];

/**
 * The answer of a path in a project that is not `default`: the same as in `default`, 404, or on GET an empty
 * collection.
 */
export type OtherProject = 'same' | 'refused' | 'empty-list' | 'empty-map';

/** A path and its methods. */
export interface Route {
  readonly path: string;
  readonly otherProject: OtherProject;
  readonly methods: Partial<Record<Method, Handler>>;
  /** Answers websocket handshakes. */
  readonly upgrade?: UpgradeHandler;
}

const route = (
  path: string,
  otherProject: OtherProject,
  methods: Route['methods'],
  upgrade?: UpgradeHandler,
): Route => ({ path, otherProject, methods, ...(upgrade && { upgrade }) });

const INSTANCE_ROUTES = [
  route('/1.0/instances', 'empty-list', { GET: listInstances, PUT: setStates, POST: createInstance }),
  route('/1.0/instances/:name', 'refused', {
    GET: getInstance,
    PUT: updateInstance,
    PATCH: patchInstance,
    POST: renameInstance,
    DELETE: deleteInstance,
  }),
  route('/1.0/instances/:name/state', 'refused', { GET: getState, PUT: setState }),
  route('/1.0/instances/:name/exec', 'refused', { POST: execInInstance }),
  route('/1.0/instances/:name/console', 'refused', {
    GET: getConsole,
    POST: attachToConsole,
    DELETE: clearConsole,
  }),
  route('/1.0/instances/:name/files', 'refused', {
    GET: getFile,
    HEAD: headFile,
    POST: postFile,
    DELETE: deleteFile,
  }),
  route('/1.0/instances/:name/logs/lxc.log', 'refused', { GET: getLog }),
];

/** The whole host API. */
export const ROUTES: readonly Route[] = [
  route('/', 'same', { GET: listVersions }),
  route('/1.0', 'same', { GET: getServer, PUT: setServerConfig, PATCH: setServerConfig }),
  route('/1.0/events', 'refused', { GET: needsUpgrade }, listenToEvents),
  ...INSTANCE_ROUTES,
  // The name from before there were virtual machines; LXD serves both.
  ...INSTANCE_ROUTES.map((row) => ({ ...row, path: row.path.replace('/instances', '/containers') })),
  // LXD answers the same on a host without virtual machines.
  route('/1.0/virtual-machines', 'empty-list', { GET: () => sync([]) }),
  route('/1.0/profiles', 'refused', { GET: listProfiles, POST: createProfile }),
  route('/1.0/profiles/:name', 'refused', {
    GET: getProfile,
    PUT: updateProfile,
    PATCH: patchProfile,
    POST: renameProfile,
    DELETE: deleteProfile,
  }),
  route('/1.0/images', 'refused', { GET: listImages, POST: uploadImage }),
  route('/1.0/images/aliases', 'refused', { GET: listAliases, POST: createAlias }),
  route('/1.0/images/aliases/:name', 'refused', {
    GET: getAlias,
    PUT: updateAlias,
    PATCH: patchAlias,
    POST: renameAlias,
    DELETE: deleteAlias,
  }),
  route('/1.0/images/:fingerprint', 'refused', {
    GET: getImage,
    PUT: updateImage,
    PATCH: patchImage,
    DELETE: deleteImage,
  }),
  route('/1.0/images/:fingerprint/export', 'refused', { GET: exportImage }),
  route('/1.0/networks', 'refused', { GET: listNetworks }),
  route('/1.0/networks/:name', 'refused', { GET: getNetwork }),
  // All projects have the same pools.
  route('/1.0/storage-pools', 'same', { GET: listPools }),
  route('/1.0/storage-pools/:name', 'same', { GET: getPool }),
  route('/1.0/projects', 'same', { GET: listProjects }),
  route('/1.0/projects/:name', 'same', { GET: getProject }),
  route('/1.0/cluster', 'same', {
    GET: getCluster,
    PUT: changeCluster,
    POST: enableCluster,
    DELETE: disableCluster,
  }),
  route('/1.0/cluster/members', 'same', { GET: listMembers }),
  route('/1.0/cluster/members/:name', 'same', { GET: getMember, DELETE: removeMember }),
  route('/1.0/backups', 'same', { GET: listBackups, POST: createBackup }),
  route('/1.0/operations', 'empty-map', { GET: listOperations }),
  route('/1.0/operations/:id', 'refused', { GET: getOperation, DELETE: cancelOperation }),
  route('/1.0/operations/:id/wait', 'refused', { GET: waitForOperation }),
  route('/1.0/operations/:id/websocket', 'refused', { GET: needsUpgrade }, connectExec),
];

/** What members ask each other. Operators get 404. */
export const FLEET_ROUTES: readonly Route[] = [
  route('/fleet/1.0/applied', 'same', { GET: waitUntilApplied }),
  route('/fleet/1.0/images/:fingerprint', 'same', { GET: countImageFiles }),
  route('/fleet/1.0/images/:fingerprint/files/:number', 'same', { GET: sendImageFile }),
];

/**
 * Every method and path that is served, such as `GET /1.0/instances/:name`; for documentation and its test.
 */
export function servedRoutes(): readonly string[] {
  return ROUTES.flatMap(({ path, methods }) => Object.keys(methods).map((method) => `${method} ${path}`));
}
