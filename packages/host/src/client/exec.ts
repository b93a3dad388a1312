import type { OperationJson } from '../wire/operation.ts';
import { ApiError } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import { isFinal } from './operations.ts';
import { connectStreams, type ExecStreams, type Sockets } from './streams.ts';

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
    resize: sockets.resize,
    signal: (number) => sockets.control({ command: 'signal', args: null, signal: number }),
    ended: finish(client, operation, sockets),
  };
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
