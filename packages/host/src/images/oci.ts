import { hostError } from '../core/host-errors.ts';
import type { EntryTree } from './entry-tree.ts';

/** Names at the top of which nearly every root filesystem has one. */
const OF_A_ROOT = ['bin', 'etc', 'sbin', 'usr', 'init'];

/** Files that only the archives of one kind have, and what skopeo calls that kind. */
const KINDS = [
  ['oci-layout', 'oci-archive'],
  ['manifest.json', 'docker-archive'],
] as const;

/**
 * Refuses an image of Podman or Docker, by the files at its top.
 * @param isRoot whether the archive has to be a root filesystem; otherwise it has to have a metadata.yaml
 * @throws CodedError image-invalid, with the way to make an image of it
 */
export function refuseOci(tree: EntryTree, isRoot: boolean): void {
  const wanted = isRoot ? OF_A_ROOT : ['metadata.yaml'];
  if (wanted.some((name) => tree.kind(name))) return;
  const found = KINDS.find(([name]) => tree.kind(name) === 'file');
  if (!found) return;
  const [name, kind] = found;
  throw hostError(
    'image-invalid',
    `This is an image of Podman or Docker, not of LXD: it has ${name}. To make one of it, unpack it ` +
      `with skopeo (${kind}:FILE) and umoci, add a metadata.yaml, and pack both: see docs/images.md`,
  );
}
