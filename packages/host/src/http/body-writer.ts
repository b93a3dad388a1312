import type { Socket } from 'node:net';
import { descriptorOf } from '../base/sockets.ts';
import type { RequestHead } from './request-head.ts';
import type { BodyPart, ByteSource, StreamReply } from './response.ts';

/** Shorter stretches are read and written instead: that takes less time than starting a send. */
const SENT_BYTES_MIN = 64 * 1024;
/** Large enough that the cost of a read is small beside copying. Each answer holds two such buffers. */
const CHUNK_BYTES = 512 * 1024;

/** Sends the body of an answer; false if the client did not get all of it. */
export async function sendBody(
  socket: Socket,
  { method }: RequestHead,
  { parts, finish }: StreamReply,
  chunked: boolean,
): Promise<boolean> {
  const isAsked = method !== 'HEAD';
  const sent = await writeParts(socket, isAsked ? parts : [], chunked).then(
    () => true,
    () => false,
  );
  finish(sent && isAsked);
  return sent;
}

/**
 * Writes the parts of a body one after another, and reads at most one chunk ahead.
 * @throws when the client is gone, or a source ends before its length
 */
async function writeParts(socket: Socket, parts: readonly BodyPart[], chunked: boolean): Promise<void> {
  let buffers: [Buffer, Buffer] | undefined;
  for (const part of parts) {
    if (typeof part === 'string') await write(socket, Buffer.from(part), chunked);
    else if (!(await sendStretch(socket, part, chunked))) {
      buffers ??= makeBuffers(parts);
      await writeStretch(socket, part, buffers, chunked);
    }
  }
  if (chunked) await writeRaw(socket, '0\r\n\r\n');
}

/** Lets the source send the stretch itself, as one chunk; false if the stretch has to be read and written. */
async function sendStretch(
  socket: Socket,
  { source, start, length }: Exclude<BodyPart, string>,
  chunked: boolean,
): Promise<boolean> {
  if (source.send === undefined || length < SENT_BYTES_MIN) return false;
  // The source writes past the socket's queue, so the kernel must have everything that came before.
  await writeRaw(socket, chunked ? `${length.toString(16)}\r\n` : '');
  const sending = source.send(descriptorOf(socket), start, length);
  socket.once('close', sending.cut);
  await sending.sent;
  socket.off('close', sending.cut);
  if (chunked) await writeRaw(socket, '\r\n');
  return true;
}

function makeBuffers(parts: readonly BodyPart[]): [Buffer, Buffer] {
  const longest = Math.max(0, ...parts.map((part) => (typeof part === 'string' ? 0 : part.length)));
  if (longest === 0) return [Buffer.alloc(0), Buffer.alloc(0)];
  const first = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, longest));
  return [first, longest > CHUNK_BYTES ? Buffer.allocUnsafe(CHUNK_BYTES) : first];
}

async function writeStretch(
  socket: Socket,
  part: Exclude<BodyPart, string>,
  buffers: readonly [Buffer, Buffer],
  chunked: boolean,
): Promise<void> {
  let position = part.start;
  const end = part.start + part.length;
  let turn = 0;
  let reading = position < end ? readChunk(part.source, buffers[0], position, end) : undefined;
  while (reading !== undefined) {
    const chunk = await reading;
    position += chunk.length;
    turn ^= 1;
    reading = position < end ? readChunk(part.source, buffers[turn as 0 | 1], position, end) : undefined;
    // The next round awaits it; until then a failure must not count as unhandled.
    reading?.catch(() => {});
    await write(socket, chunk, chunked);
  }
}

async function readChunk(source: ByteSource, buffer: Buffer, position: number, end: number): Promise<Buffer> {
  const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, end - position), position);
  if (bytesRead === 0) throw new Error('a file became shorter while it was sent');
  return buffer.subarray(0, bytesRead);
}

function write(socket: Socket, data: Buffer, chunked: boolean): Promise<void> {
  if (data.length === 0) return Promise.resolve();
  if (!chunked) return writeRaw(socket, data);
  socket.cork();
  socket.write(`${data.length.toString(16)}\r\n`);
  socket.write(data);
  const written = writeRaw(socket, '\r\n');
  socket.uncork();
  return written;
}

function writeRaw(socket: Socket, data: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
