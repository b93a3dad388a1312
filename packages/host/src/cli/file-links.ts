import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { ApiError } from '../client/client-errors.ts';
import { readFile } from '../client/files.ts';
import type { HostClient } from '../client/host-client.ts';
import type { InstancePath } from './file-paths.ts';
import { textOf } from './file-paths.ts';

/** The limit of Linux. */
const LINKS_MAX = 40;

/**
 * The content of a file, or of the file to which a link leads. The instance resolves the directories on the
 * way.
 * @throws ApiError when that is a directory, or leads nowhere
 */
export async function readThroughLinks(client: HostClient, source: InstancePath): Promise<Readable> {
  let { path } = source;
  for (let links = 0; links <= LINKS_MAX; links++) {
    const found = await readFile(client, source.instance, path);
    if (found.type === 'file') return found.content;
    if (found.type === 'directory') throw new ApiError(0, `${textOf(source)} is a directory`);
    path = found.target.startsWith('/') ? found.target : `${posix.dirname(path)}/${found.target}`;
  }
  throw new ApiError(0, `${textOf(source)} leads through too many links`);
}
