import type { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { OperationJson } from '../wire/operation.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import { bytesOf, openSocket } from './sockets.ts';

/** The streams to connect; with `stdin` null, the input is closed at once. None of them is ended here. */
export interface ExecStreams {
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** The connected websockets of an operation. */
export interface Sockets {
  control(message: object): void;
  resize(width: number, height: number): void;
  /** Settles when all output has been written. */
  readonly drained: Promise<unknown>;
  stopInput(): void;
  close(): void;
}

/**
 * Connects the websockets of an exec or a console in the order of LXD's client: control, then 0, 1, 2. The
 * command starts when the last one is connected.
 * @param interactive on a pty; otherwise standard output and error are apart
 */
export async function connectStreams(
  client: HostClient,
  operation: OperationJson,
  interactive: boolean,
  streams: ExecStreams,
): Promise<Sockets> {
  const secrets = (operation.metadata?.['fds'] ?? {}) as Readonly<Record<string, string>>;
  const opened: WebSocket[] = [];
  const open = async (fd: string, prepare: (socket: WebSocket) => void) => {
    const query = new URLSearchParams({ secret: secrets[fd] ?? '' });
    const url = `${path`/1.0/operations/${operation.id}/websocket`}?${query}`;
    const socket = await openSocket(client.socketPath, url, (opening) => {
      opening.on('error', () => {});
      prepare(opening);
    });
    opened.push(socket);
    return socket;
  };
  const outputs: Promise<void>[] = [];
  const receive = (target: Writable) => (socket: WebSocket) => outputs.push(writeOutput(socket, target));
  try {
    const control = await open('control', () => {});
    const input = await open('0', interactive ? receive(streams.stdout) : () => {});
    if (!interactive) {
      await open('1', receive(streams.stdout));
      await open('2', receive(streams.stderr));
    }
    const send = (message: object) => sendText(control, JSON.stringify(message));
    return {
      control: send,
      resize: (width, height) =>
        send({ command: 'window-resize', args: { width: String(width), height: String(height) } }),
      drained: Promise.all(outputs),
      stopInput: sendInput(input, streams.stdin),
      close: () => closeAll(opened),
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** Output is binary; an empty text message, or the end of the connection, is its end. */
function writeOutput(socket: WebSocket, target: Writable): Promise<void> {
  return new Promise((resolve) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary) {
        resolve();
        return;
      }
      // Messages that were read together still come while it is paused.
      if (target.write(bytesOf(data)) || socket.isPaused) return;
      socket.pause();
      target.once('drain', () => socket.resume());
    });
    socket.on('close', () => resolve());
  });
}

/**
 * Sends a stream's bytes, each chunk after the one before has been sent, and the end mark.
 * @returns a function that lets go of the stream
 */
function sendInput(socket: WebSocket, input: Readable | null): () => void {
  if (!input) {
    sendText(socket, '');
    return () => {};
  }
  const onData = (chunk: Buffer | string) => {
    input.pause();
    socket.send(Buffer.from(chunk as Buffer), { binary: true }, (error) => {
      if (!error && !stopped) input.resume();
    });
  };
  const onEnd = () => sendText(socket, '');
  let stopped = false;
  input.on('data', onData);
  input.once('end', onEnd);
  input.once('error', onEnd);
  return () => {
    stopped = true;
    input.off('data', onData);
    input.off('end', onEnd);
    input.off('error', onEnd);
    input.pause();
  };
}

function sendText(socket: WebSocket, text: string): void {
  if (socket.readyState === socket.OPEN) socket.send(text, { binary: false });
}

function closeAll(sockets: readonly WebSocket[]): void {
  for (const socket of sockets) socket.terminate();
}
