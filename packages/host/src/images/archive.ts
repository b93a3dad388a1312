import { hostError } from '../core/host-errors.ts';
import { invalidArchive } from './archive-error.ts';
import { EntryTree, type Placed } from './entry-tree.ts';
import type { ImageLimits } from './image-limits.ts';
import { refuseOci } from './oci.ts';
import { expand } from './sparse.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

/** The content of an archive: all of an image, or one part of a split one. */
export type Layout = 'unified' | 'metadata' | 'rootfs';

/** An entry of the root filesystem. Its path, target and parents are relative to the root; the root is ''. */
export interface RootEntry {
  readonly entry: TarEntry;
  readonly path: string;
  readonly target: string;
  readonly newParents: readonly string[];
  /** Nothing is made but its parents. */
  readonly skipped: boolean;
  /** It replaces an entry before it. */
  readonly replaces: boolean;
  /** Its place in the archive, from 0. */
  readonly ordinal: number;
}

/** One of the parts that an archive is read into, in the order of the archive. */
export type ArchiveItem =
  | { readonly kind: 'metadata'; readonly text: string }
  /** A file of the folder `templates`; its name is relative to that. */
  | { readonly kind: 'template'; readonly name: string; readonly text: string }
  | { readonly kind: 'root-entry'; readonly root: RootEntry };

const METADATA_NAME = 'metadata.yaml';
const ROOT_NAME = 'rootfs';
const TEMPLATES = 'templates/';

/** LXD's text, which scripts look for. */
const NO_METADATA = 'Metadata tarball is missing metadata.yaml';
const NO_ROOT = 'the root filesystem (rootfs/) is missing';

/** An empty tree for the entries of an archive. */
export function treeFor(layout: Layout, limits: ImageLimits): EntryTree {
  return new EntryTree(limits, { root: rootNameOf(layout), mayReplace: true });
}

/**
 * Reads an archive to its end and checks all of it: structure, names, links, owners, devices, sizes.
 * Other files beside the root filesystem are checked and then skipped.
 * @param tree gets all entries
 * @throws CodedError image-invalid, image-too-large
 */
export async function* readArchive(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
  tree: EntryTree = treeFor(layout, limits),
): AsyncGenerator<ArchiveItem> {
  for await (const entry of readTar(chunks, limits)) {
    const placed = tree.add(entry);
    if (layout !== 'rootfs' && placed.path === METADATA_NAME) {
      yield { kind: 'metadata', text: await metadataText(entry, limits) };
    }
    if (layout !== 'rootfs' && placed.path.startsWith(TEMPLATES) && entry.kind === 'file') {
      yield { kind: 'template', name: nameOf(placed.path), text: await templateText(entry, limits) };
    }
    const root = layout === 'metadata' ? null : rootEntry(entry, placed, layout);
    if (root) yield { kind: 'root-entry', root };
  }
  refuseOci(tree, layout === 'rootfs');
  if (layout !== 'rootfs' && !tree.kind(METADATA_NAME)) throw hostError('image-invalid', NO_METADATA);
  if (layout === 'unified' && !tree.kind(ROOT_NAME)) throw invalidArchive(NO_ROOT);
}

function rootEntry(entry: TarEntry, placed: Placed, layout: Layout): RootEntry | null {
  const path = inRoot(placed.path, layout);
  if (path === null) return null;
  const { skipped, replaces, ordinal } = placed;
  const newParents = placed.newParents.map((each) => inRoot(each, layout)).filter((each) => each !== null);
  return {
    entry,
    path,
    target: inRoot(placed.target, layout) ?? '',
    newParents,
    skipped,
    replaces,
    ordinal,
  };
}

const rootNameOf = (layout: Layout) => (layout === 'rootfs' ? '' : ROOT_NAME);

/** A path relative to the root filesystem; null when it is not in it. */
export function inRoot(path: string, layout: Layout): string | null {
  const rootName = rootNameOf(layout);
  if (rootName === '' || path === rootName) return path === rootName ? '' : path;
  return path.startsWith(`${rootName}/`) ? path.slice(rootName.length + 1) : null;
}

async function metadataText(entry: TarEntry, limits: ImageLimits): Promise<string> {
  if (entry.kind !== 'file') throw invalidArchive(`${METADATA_NAME} is not a file`);
  const size = entry.sparse?.realSize ?? entry.size;
  if (size > limits.metadataBytes) throw invalidArchive(`${METADATA_NAME} is too long`);
  return textOf(entry);
}

/** Names of entries are bytes, one character for each. */
const nameOf = (path: string) => Buffer.from(path.slice(TEMPLATES.length), 'latin1').toString('utf8');

async function templateText(entry: TarEntry, limits: ImageLimits): Promise<string> {
  if ((entry.sparse?.realSize ?? entry.size) > limits.templateBytes) throw tooLarge(limits);
  return textOf(entry);
}

/** The error of an image whose templates are too long. */
export const tooLarge = (limits: ImageLimits) =>
  hostError('image-too-large', `its templates have more than ${limits.templateBytes} bytes`);

async function textOf(entry: TarEntry): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of entry.body) pieces.push(piece);
  return expand(Buffer.concat(pieces), entry.sparse).toString('utf8');
}
