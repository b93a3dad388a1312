import type { Readable } from 'node:stream';
import type { HostIds } from '../../core/host-ids.ts';
import type { FileRequest, FilesTarget, FileWork } from '../contract/runtime.ts';
import { openFiles } from './files.ts';
import type { IdRanges } from './ids.ts';
import type { InstancePaths } from './paths.ts';
import { enterOf } from './root-move.ts';
import { releaseRoot, settleFresh, shiftRoot } from './root-place.ts';

/** Owner of the files of a privileged instance. */
const ROOT: HostIds = { uid: 0, gid: 0 };

/**
 * Works on the files of a stopped instance, as `files` of the runtime.
 * @param place where its files are, and whose they are: null for a privileged instance
 */
export async function openStoppedFiles(
  { paths, ids }: { readonly paths: InstancePaths; readonly ids: IdRanges | null },
  { lower, rootSize }: FilesTarget,
  request: FileRequest,
  input: Readable | null,
): Promise<FileWork> {
  const writes = !['read', 'stat', 'remove'].includes(request.work);
  // A start that failed may have left it mounted.
  await releaseRoot(paths);
  await settleFresh(paths, rootSize, { writes });
  await shiftRoot(paths, ids ?? ROOT);
  const place = { lower, upper: paths.upper, enter: await enterOf(paths) };
  return openFiles({ kind: 'stopped', ...place }, ids, request, input);
}
