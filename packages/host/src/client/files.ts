import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer as readBuffer, json as readJson } from 'node:stream/consumers';
import { encodeName, textOfBytes } from '../base/byte-text.ts';
import { printableLine } from '../base/printable.ts';
import { ApiError } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import { call, download } from './transport.ts';

/**
 * A file, directory or link that was read inside an instance. Names and targets are text as in
 * `base/byte-text.ts`.
 */
export type RemoteFile =
  | { readonly type: 'directory'; readonly mode: number; readonly entries: readonly string[] }
  | { readonly type: 'symlink'; readonly target: string }
  | {
      readonly type: 'file';
      readonly mode: number;
      /** Bytes; undefined for files that do not tell their size, such as those below /proc. */
      readonly size: number | undefined;
      /** To be read to its end or destroyed. */
      readonly content: Readable;
    };

/** A file, directory or link to write; an existing file or directory keeps its owner and mode. */
export interface FileWrite {
  readonly type: RemoteFile['type'];
  /** Ids are those inside the instance; root when absent. */
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  /** Content of a file, or the target of a link. */
  readonly content?: Readable;
}

/**
 * Reads a file, directory or link; a link at the path's end is not followed.
 * @throws ApiError when there is nothing
 */
export async function readFile(client: HostClient, name: string, file: string): Promise<RemoteFile> {
  const request = { method: 'GET', path: urlOf(name, file) };
  const response = await download(client.socketPath, request).catch(naming(name, file));
  const type = typeOf(response);
  const mode = Number.parseInt(String(response.headers['x-lxd-mode'] ?? '0'), 8);
  if (type === 'symlink') return { type, target: textOfBytes(await readBuffer(response)) };
  if (type === 'directory') {
    const { metadata } = (await readJson(response)) as { metadata: readonly string[] };
    return { type, mode, entries: metadata };
  }
  const length = response.headers['content-length'];
  return { type, mode, size: length === undefined ? undefined : Number(length), content: response };
}

/** The type of the file at a path; undefined when there is none, or when it cannot be looked at. */
export async function typeAt(
  client: HostClient,
  name: string,
  file: string,
): Promise<RemoteFile['type'] | undefined> {
  try {
    const response = await download(client.socketPath, { method: 'HEAD', path: urlOf(name, file) });
    response.resume();
    return typeOf(response);
  } catch (error) {
    // The answer to HEAD has no text: a read or write that follows gets the reason.
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

/** Writes a file, makes a directory or a link. @throws ApiError when the daemon refuses */
export async function writeFile(
  client: HostClient,
  name: string,
  file: string,
  write: FileWrite,
): Promise<void> {
  const { type, uid, gid, mode, content } = write;
  const headers = {
    'X-LXD-type': type,
    ...(uid === undefined ? {} : { 'X-LXD-uid': String(uid) }),
    ...(gid === undefined ? {} : { 'X-LXD-gid': String(gid) }),
    ...(mode === undefined ? {} : { 'X-LXD-mode': `0${mode.toString(8).padStart(3, '0')}` }),
  };
  const body = content ? { body: content } : {};
  const request = { method: 'POST', path: urlOf(name, file), headers, ...body };
  await call(client.socketPath, request).catch(naming(name, file));
}

/** Deletes a file, a link or an empty directory. @throws ApiError when the daemon refuses */
export async function deleteFile(client: HostClient, name: string, file: string): Promise<void> {
  const request = { method: 'DELETE', path: urlOf(name, file) };
  await call(client.socketPath, request).catch(naming(name, file));
}

/** Adds the name of the file to an error: it may be one of many. */
function naming(name: string, file: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ApiError)) throw error;
    const place = printableLine(`${name}/${file.replace(/^\/+/, '')}`);
    throw new ApiError(error.status, `${place}: ${error.message}`);
  };
}

function urlOf(name: string, file: string): string {
  return `${path`/1.0/instances/${name}/files`}?path=${encodeName(file)}`;
}

function typeOf(response: IncomingMessage): RemoteFile['type'] {
  const type = response.headers['x-lxd-type'] ?? 'file';
  if (type === 'file' || type === 'directory' || type === 'symlink') return type;
  response.destroy();
  throw new ApiError(0, `The daemon knows a type of file that this client does not: ${type}`);
}
