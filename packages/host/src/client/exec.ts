import type { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { OperationJson } from '../wire/operation.ts';
import { ApiError } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import { isFinal } from './operations.ts';
import { bytesOf, openSocket } from './sockets.ts';

/** A command to run inside an instance. */
export interface ExecRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** On a pty; its output comes on `stdout` alone. */
  readonly interactive: boolean;
  /** Size of the pty in characters; 0 when unknown. */
  readonly width: number;
  readonly height: number;
  readonly user: number;
  readonly group: number;
  /** Empty: the daemon chooses, /root for root and / for others. */
  readonly cwd: string;
}

/** The streams to connect; with `stdin` null, the input is closed at once. None of them is ended here. */
export interface ExecStreams {
  readonly stdin: Readable | null;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** A running command. */
export interface ExecSession {
  resize(width: number, height: number): void;
  /** @param number Linux's number of the signal */
  signal(number: number): void;
  /**
   * Settles once the command has ended and all its output was written.
   * @returns exit code and, when the command could not be run, the reason
   */
  readonly ended: Promise<{ readonly code: number; readonly err: string }>;
}

/**
 * Runs a command inside an instance, and connects its streams to the given ones.
 * @throws ApiError when the daemon refuses
 */
export async function exec(
  client: HostClient,
  name: string,
  request: ExecRequest,
  streams: ExecStreams,
): Promise<ExecSession> {
  const operation = await client.begin('POST', path`/1.0/instances/${name}/exec`, {
    json: { ...request, 'wait-for-websocket': true, 'record-output': false },
  });
  if (!operation) throw new ApiError(0, 'The daemon answered an exec without an operation');
  const sockets = await connectStreams(client, operation, request.interactive, streams);
  return {
    resize: (width, height) =>
      sockets.control({ command: 'window-resize', args: sizeArguments(width, height) }),
    signal: (number) => sockets.control({ command: 'signal', args: null, signal: number }),
    ended: finish(client, operation, sockets),
  };
}

interface Sockets {
  control(message: object): void;
  /** Settles when all output has been written. */
  readonly drained: Promise<unknown>;
  stopInput(): void;
  close(): void;
}

/** In the order of LXD's client: control, then 0, 1, 2. The command starts when the last one is connected. */
async function connectStreams(
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
    return {
      control: (message) => sendText(control, JSON.stringify(message)),
      drained: Promise.all(outputs),
      stopInput: sendInput(input, streams.stdin),
      close: () => closeAll(opened),
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

async function finish(
  client: HostClient,
  operation: OperationJson,
  sockets: Sockets,
): Promise<{ code: number; err: string }> {
  try {
    const [final] = await Promise.all([client.wait(operation), sockets.drained]);
    const code = final.metadata?.['return'];
    if (isFinal(final) && typeof code === 'number') return { code, err: final.err };
    throw new ApiError(final.status_code, final.err || 'The command ended without an exit code');
  } finally {
    sockets.stopInput();
    sockets.close();
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
      if (target.write(bytesOf(data))) return;
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

function sizeArguments(width: number, height: number): Record<string, string> {
  return { width: String(width), height: String(height) };
}
