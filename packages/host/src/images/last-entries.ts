import { inRoot, type Layout, readArchive, treeFor } from './archive.ts';
import type { ImageLimits } from './image-limits.ts';

/**
 * For each entry that is still there at the end of an archive, by its place in the archive from 0: its paths
 * relative to the root filesystem. It has several when hard links lead to it.
 */
export type LastEntries = ReadonlyMap<number, readonly string[]>;

/**
 * Reads an archive to its end and finds out which entries are not replaced by later ones.
 * @throws CodedError image-invalid, image-too-large
 */
export async function lastEntries(
  chunks: AsyncIterable<Buffer>,
  layout: Layout,
  limits: ImageLimits,
): Promise<LastEntries> {
  const tree = treeFor(layout, limits);
  for await (const _ of readArchive(chunks, layout, limits, tree));
  const last = new Map<number, string[]>();
  for (const [whole, ordinal] of tree.paths()) {
    const path = inRoot(whole, layout);
    if (path === null) continue;
    const paths = last.get(ordinal);
    if (paths) paths.push(path);
    else last.set(ordinal, [path]);
  }
  return last;
}
