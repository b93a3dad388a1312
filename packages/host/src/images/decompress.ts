import { createReadStream } from 'node:fs';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { messageOf } from '../base/coded-error.ts';
import { hostError } from '../core/host-errors.ts';
import { filter } from '../process/filter.ts';
import type { Format } from './formats.ts';
import { asNobody } from './sandbox.ts';

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Gets the number of bytes that have been read so far of the file as it is on disk. */
  readonly onRead?: (total: number) => void;
}

/** Memory that xz may use: a file can ask for a dictionary of 4 GiB; the largest preset takes 65 MiB. */
const XZ_MEMORY = '--memlimit-decompress=256MiB';

const COMMANDS: Partial<Record<Format, readonly [string, ...string[]]>> = {
  xz: ['xz', '--format=xz', '-dc', XZ_MEMORY],
  lzma: ['xz', '--format=lzma', '-dc', XZ_MEMORY],
  bzip2: ['bzip2', '-dc'],
};

const CHUNK_BYTES = 256 * 1024;
/** Exit code of setpriv when the command does not exist. */
const NOT_FOUND = 127;

/**
 * The bytes of a compressed (or plain) file, unpacked as they are asked for; never all in memory. Bytes after
 * the end of the compressed data are an error for gzip (except zeros) and xz, and ignored for bzip2 and zstd.
 * @throws CodedError image-invalid when the data is damaged or ends early
 */
export async function* decompress(
  path: string,
  format: Format,
  options: ReadOptions,
): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const command = COMMANDS[format];
  const output = command
    ? throughCommand(source, command, options.signal)
    : throughStreams(source, transformOf(format), options.signal);
  try {
    for await (const chunk of output) {
      options.onRead?.(source.bytesRead);
      yield chunk;
    }
  } finally {
    source.destroy();
  }
}

function transformOf(format: Format): Transform | null {
  if (format === 'gzip') return createGunzip({ chunkSize: CHUNK_BYTES });
  if (format === 'zstd') return createZstdDecompress({ chunkSize: CHUNK_BYTES });
  return null;
}

async function* throughStreams(
  source: Readable,
  transform: Transform | null,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const output = transform ?? source;
  const feeding = transform ? pipeline(source, transform, { signal }).catch(() => {}) : Promise.resolve();
  try {
    for await (const chunk of output) {
      signal.throwIfAborted();
      yield chunk as Buffer;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw damaged(messageOf(error));
  } finally {
    output.destroy();
    await feeding;
  }
}

async function* throughCommand(
  source: Readable,
  command: readonly [string, ...string[]],
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const [name, ...args] = asNobody(command);
  const child = filter(name, args, { signal });
  const feeding = pipeline(source, child.input).catch(() => {});
  try {
    for await (const chunk of child.output) yield chunk as Buffer;
    const { ok, code, failure } = await child.ended;
    signal.throwIfAborted();
    if (code === NOT_FOUND) throw hostError('runtime-failed', failure);
    if (!ok) throw damaged(failure);
  } finally {
    child.kill();
    source.destroy();
    await Promise.all([feeding, child.ended]);
  }
}

const damaged = (why: string) => hostError('image-invalid', `The archive is damaged or incomplete: ${why}`);
