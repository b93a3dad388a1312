import type { CodedError } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';

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
  [
    /^\/1\.0\/cluster\/members\/[^/]+\/state/,
    'Porthole does not move instances between members: stop the daemon of a member to do work on its host',
  ],
  [
    /^\/1\.0\/cluster\/members\/./,
    'Members have no roles, groups or config, and keep their names: they can be shown and removed',
  ],
  [
    /^\/1\.0\/cluster\/members/,
    'Members need no tokens: run `porthole cluster enable` on the other host, with the same etcd',
  ],
  [/^\/1\.0\/cluster\/groups/, 'Porthole has no groups of members'],
  [/^\/1\.0\/cluster\/certificate/, 'Each member makes its own certificate'],
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
