import type { Readable, Writable } from 'node:stream';
import { ApiError } from './client-errors.ts';
import type { HostClient } from './host-client.ts';
import { path } from './host-client.ts';
import { requireSuccess } from './operations.ts';
import { connectStreams } from './streams.ts';

/** A console that this client is attached to. */
export interface ConsoleSession {
  resize(width: number, height: number): void;
  /** Lets go of the console; the instance does not notice. */
  detach(): void;
  /** Settles after `detach`, or when the instance stops. @throws ApiError when another client has the console */
  readonly ended: Promise<void>;
}

/**
 * Attaches streams to the console of an instance.
 * @throws ApiError when the daemon refuses
 */
export async function attachConsole(
  client: HostClient,
  name: string,
  size: { readonly width: number; readonly height: number },
  stdin: Readable,
  stdout: Writable,
): Promise<ConsoleSession> {
  const operation = await client.begin('POST', path`/1.0/instances/${name}/console`, {
    json: { ...size, type: 'console' },
  });
  if (!operation) throw new ApiError(0, 'The daemon answered a console without an operation');
  const sockets = await connectStreams(client, operation, true, { stdin, stdout, stderr: stdout });
  const detached = Promise.withResolvers<void>();
  const finished = Promise.all([client.wait(operation).then(requireSuccess), sockets.drained]);
  finished.catch(() => {});
  return {
    resize: sockets.resize,
    detach: detached.resolve,
    ended: Promise.race([detached.promise, finished.then(() => {})]).finally(() => {
      sockets.stopInput();
      sockets.close();
    }),
  };
}
