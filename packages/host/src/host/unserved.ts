/** Also the error of requests that name a member of a cluster. */
export const NO_CLUSTERS = 'Porthole has no clusters: it runs the instances of one host';

/** Parts of LXD's API that Porthole does not have, by the beginning of their paths, each with its error. */
const UNSERVED: readonly (readonly [path: RegExp, sentence: string])[] = [
  [/^\/1\.0\/network/, 'Porthole manages no networks: give a nic the bridge that you made as its parent'],
  [/^\/1\.0\/storage-/, 'Porthole has no storage pools: instances live in its state directory'],
  [/^\/1\.0\/projects?\b/, 'Porthole has no projects: all instances are in one'],
  [/^\/1\.0\/cluster/, NO_CLUSTERS],
  [
    /^\/1\.0\/certificates/,
    'Porthole knows no certificates: everybody who may open its socket is an operator',
  ],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/snapshots/, 'Porthole has no snapshots of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/backups/, 'Porthole has no backups of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/console/, 'Porthole has no consoles: run a shell with exec'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/metadata/, 'Porthole does not edit the metadata of instances'],
  [/^\/1\.0\/(instances|containers)\/[^/]+\/sftp/, 'Porthole has no SFTP: push and pull files instead'],
  [/^\/1\.0\/(warnings|resources|metrics)/, 'Porthole keeps no warnings, resources or metrics of the host'],
];

/** The error for a path that LXD serves and Porthole does not; undefined for any other. */
export function unservedSentence(path: string): string | undefined {
  return UNSERVED.find(([pattern]) => pattern.test(path))?.[1];
}
