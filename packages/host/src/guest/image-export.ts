import { type FileHandle, open } from 'node:fs/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Log } from '../base/log.ts';
import type { Quota } from '../base/quota.ts';
import type { Image } from '../core/entities.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ByteSource, Reply } from '../http/response.ts';
import type { GuestBackend } from './backend.ts';
import { jsonError } from './guest-errors.ts';
import { type ImageFile, splitReply, unifiedReply } from './image-reply.ts';

export interface ExportTools {
  readonly backend: Pick<GuestBackend, 'ensureImage' | 'image' | 'imagePaths' | 'imageRetrieved'>;
  readonly log: Log;
  readonly running: Quota;
  /** Whether an instance may cause one more write to the store now, or work that weighs as much as several. */
  readonly mayWrite: (instanceId: number, weight?: number) => boolean;
  /** Sends files without reading them. */
  readonly sender: Sender | undefined;
  readonly stallMs: number;
}

/**
 * A request that looks for files on other hosts counts as this many writes: it may fetch gigabytes, and does so at each
 * request if the files there are damaged.
 */
const SEARCH_WEIGHT = 8;

/** Sends stretches of files on sockets. */
export interface Sender {
  readonly works: boolean;
  send(
    socket: number,
    file: number,
    stretch: { readonly start: number; readonly length: number; readonly stallMs: number },
  ): { sent: Promise<void>; cut: () => void };
}

/** Sends an image to an instance. Private, unknown and missing images get the same answer. */
export async function sendImage(
  instanceId: number,
  fingerprint: string,
  head: RequestHead,
  tools: ExportTools,
): Promise<Reply> {
  const image = tools.backend.image(fingerprint);
  if (image === undefined || !(image.public || image.cached)) return jsonError('not-found');
  if (!tools.running.take(instanceId)) return jsonError('too-many-streams');
  const handles: FileHandle[] = [];
  const finish = (sent: boolean) => {
    tools.running.give(instanceId);
    for (const handle of handles) void handle.close().catch(() => {});
    // A client may fetch an image byte by byte, but the host is notified only as often as writes are allowed.
    if (sent && tools.mayWrite(instanceId)) void tellRetrieved(instanceId, fingerprint, tools);
  };
  try {
    const maySearch = () => tools.mayWrite(instanceId, SEARCH_WEIGHT);
    const files = await openAll(image, handles, { ...tools, maySearch });
    if (files === undefined) {
      finish(false);
      return jsonError('too-many-writes');
    }
    return replyOf(image, files, head, finish);
  } catch (error) {
    finish(false);
    if (isMissing(error)) {
      tools.log.warn({ fingerprint, error: messageOf(error) }, 'an image has lost its file');
      return jsonError('not-found');
    }
    tools.log.error({ fingerprint, error: messageOf(error) }, 'an image cannot be read');
    return jsonError('internal');
  }
}

/**
 * Opens the files of an image. If they are on another host, it waits until they are here.
 * @returns undefined if they are not here, and the instance has looked for them too often
 */
async function openAll(
  image: Image,
  handles: FileHandle[],
  tools: ExportTools & { readonly maySearch: () => boolean },
): Promise<ImageFile[] | undefined> {
  const open = () => openHere(tools.backend.imagePaths(image), handles, tools);
  try {
    return await open();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (!tools.maySearch()) return undefined;
  await tools.backend.ensureImage(image);
  return open();
}

async function openHere(
  paths: readonly string[],
  handles: FileHandle[],
  tools: ExportTools,
): Promise<ImageFile[]> {
  const files: ImageFile[] = [];
  for (const path of paths) files.push(await openFile(path, handles, tools));
  return files;
}

async function openFile(path: string, handles: FileHandle[], tools: ExportTools): Promise<ImageFile> {
  const handle = await open(path, 'r');
  handles.push(handle);
  const { size, mtime } = await handle.stat();
  return { source: sourceOf(handle, tools), size, modifiedAt: mtime };
}

function sourceOf(handle: FileHandle, { sender, stallMs }: ExportTools): ByteSource {
  if (sender?.works !== true) return handle;
  return {
    read: (...where) => handle.read(...where),
    send: (socket, start, length) => sender.send(socket, handle.fd, { start, length, stallMs }),
  };
}

function replyOf(
  image: Image,
  [first, second]: readonly ImageFile[],
  head: RequestHead,
  finish: (sent: boolean) => void,
): Reply {
  const { files, fingerprint } = image;
  if (first === undefined) throw new Error('an image without files');
  if (files.kind === 'unified') {
    return unifiedReply(head.fields, `${fingerprint}${files.extension}`, first, finish);
  }
  if (second === undefined) throw new Error('a split image with one file');
  return splitReply({ ...image, files }, [first, second], finish);
}

async function tellRetrieved(
  instanceId: number,
  fingerprint: string,
  { backend, log }: ExportTools,
): Promise<void> {
  try {
    await backend.imageRetrieved(instanceId, fingerprint);
  } catch (error) {
    log.error({ fingerprint, error: messageOf(error) }, 'telling of a fetched image failed');
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}
