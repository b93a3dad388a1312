import { hostError } from '../core/host-errors.ts';
import { invalidArchive } from './archive-error.ts';
import { EntryTree } from './entry-tree.ts';
import type { ImageLimits } from './image-limits.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

/** The content of an archive: all of an image, or one part of a split one. */
export type Layout = 'unified' | 'metadata' | 'rootfs';

/** An entry of the root filesystem. Its path, target and parents are relative to the root; the root is ''. */
export interface RootEntry {
  readonly entry: TarEntry;
  readonly path: string;
  readonly target: string;
  readonly newParents: readonly string[];
  /** A well-known device node: only its parents are made. */
  readonly skipped: boolean;
}

/** One of the parts that an archive is read into, in the order of the archive. */
export type ArchiveItem =
  | { readonly kind: 'metadata'; readonly text: string }
  | { readonly kind: 'root-entry'; readonly root: RootEntry };

const METADATA_NAME = 'metadata.yaml';
const ROOT_NAME = 'rootfs';

/** LXD's text, which scripts look for. */
const NO_METADATA = 'Metadata tarball is missing metadata.yaml';
const NO_ROOT = 'the root filesystem (rootfs/) is missing';

/**
 * Reads an archive to its end and checks all of it: structure, names, links, owners, devices, sizes.
 * Templates and other files beside the root filesystem are checked and then skipped.
 * @throws CodedError image-invalid, image-too-large
 */
export async function* readArchive(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
): AsyncGenerator<ArchiveItem> {
  const rootName = layout === 'rootfs' ? '' : ROOT_NAME;
  const tree = new EntryTree(limits, rootName);
  for await (const entry of readTar(chunks, limits)) {
    const placed = tree.add(entry);
    if (layout !== 'rootfs' && placed.path === METADATA_NAME) {
      yield { kind: 'metadata', text: await metadataText(entry, limits) };
    }
    const inside = layout === 'metadata' ? null : inRoot(placed.path, rootName);
    if (inside === null) continue;
    const newParents = placed.newParents
      .map((path) => inRoot(path, rootName))
      .filter((path) => path !== null);
    const target = inRoot(placed.target, rootName) ?? '';
    yield { kind: 'root-entry', root: { entry, path: inside, target, newParents, skipped: placed.skipped } };
  }
  if (layout !== 'rootfs' && !tree.kind(METADATA_NAME)) throw hostError('image-invalid', NO_METADATA);
  if (layout === 'unified' && !tree.kind(ROOT_NAME)) throw invalidArchive(NO_ROOT);
}

/** A path relative to the root filesystem; null when it is not in it. */
function inRoot(path: string, rootName: string): string | null {
  if (rootName === '' || path === rootName) return path === rootName ? '' : path;
  return path.startsWith(`${rootName}/`) ? path.slice(rootName.length + 1) : null;
}

async function metadataText(entry: TarEntry, limits: ImageLimits): Promise<string> {
  if (entry.kind !== 'file') throw invalidArchive(`${METADATA_NAME} is not a file`);
  if (entry.size > limits.metadataBytes) throw invalidArchive(`${METADATA_NAME} is too long`);
  const pieces: Buffer[] = [];
  for await (const piece of entry.body) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}
