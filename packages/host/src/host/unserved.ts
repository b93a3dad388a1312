import type { CodedError } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';

/** Also the error of requests that name a member of a cluster. */
export const NO_CLUSTERS = 'Porthole has no clusters: it runs the instances of one host';

/**
 * Parts of LXD's API that Porthole does not have, by the beginning of their paths, each with its error. Some paths
 * have routes that only read: the error is that of their other methods.
 */
const UNSERVED: readonly (readonly [path: RegExp, sentence: string])[] = [
  [/^\/1\.0\/network/, 'Porthole manages no networks: give a nic the bridge that you made as its parent'],
  [
    /^\/1\.0\/storage-pools\/[^/]+\/volumes/,
    'Porthole has no storage volumes: give an instance a folder of the host as a disk',
  ],
  [
    /^\/1\.0\/storage-/,
    'Porthole has one storage pool, its state directory: it makes, changes and deletes none',
  ],
  [/^\/1\.0\/projects?\b/, 'Porthole has one project, default: it makes, changes and deletes none'],
  [/^\/1\.0\/cluster/, NO_CLUSTERS],
  [/^\/1\.0\/virtual-machines/, 'Porthole has no virtual machines: its instances are containers'],
  [
    /^\/1\.0\/certificates/,
    'Porthole knows no certificates: everybody who may open its socket is an operator',
  ],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/snapshots/, 'Porthole has no snapshots of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/backups/, 'Porthole has no backups of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/metadata/, 'Porthole does not edit the metadata of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/sftp/, 'Porthole has no SFTP: push and pull files instead'],
  [
    /^\/1\.0\/images\/[^/]+\/secret/,
    'Porthole shares no images with other servers: export an image, and import it there',
  ],
  [/^\/1\.0\/(warnings|resources|metrics)/, 'Porthole keeps no warnings, resources or metrics of the host'],
];

/** The error for a path that LXD serves and Porthole does not; undefined for any other. */
export function unservedError(path: string): CodedError | undefined {
  const sentence = UNSERVED.find(([pattern]) => pattern.test(path))?.[1];
  return sentence === undefined ? undefined : hostError('not-served', sentence);
}
