import type { WebSocket } from 'ws';
import type { EventJson } from '../wire/event.ts';
import { ApiError } from './client-errors.ts';
import { bytesOf, openSocket } from './sockets.ts';

/** The stream of events; iterate it once, `close` ends it. */
export interface EventStream extends AsyncIterable<EventJson> {
  close(): void;
}

/**
 * Opens the stream of events; nothing that happens after this settles is missed. The iteration ends after
 * `close`, and throws an ApiError when the daemon ends the stream.
 * @param types event types, none for all
 * @param since the stream begins with the lifecycle events after this sequence number; all of them have their
 *   numbers then
 */
export async function openEvents(
  socketPath: string,
  types: readonly string[] = [],
  since?: string,
): Promise<EventStream> {
  const queue = createQueue();
  const query = new URLSearchParams();
  if (types.length > 0) query.set('type', types.join(','));
  if (since !== undefined) query.set('since', since);
  const socket = await openSocket(socketPath, `/1.0/events${query.size > 0 ? `?${query}` : ''}`, (opening) =>
    feed(opening, queue),
  );
  return {
    close() {
      queue.end();
      socket.close();
    },
    [Symbol.asyncIterator]: () => queue.iterate(),
  };
}

function feed(socket: WebSocket, queue: Queue): void {
  socket.on('message', (data) => queue.push(JSON.parse(bytesOf(data).toString('utf8')) as EventJson));
  socket.on('close', (code) => queue.end(new ApiError(0, `The daemon ended the stream of events (${code})`)));
}

interface Queue {
  push(event: EventJson): void;
  end(error?: Error): void;
  iterate(): AsyncIterator<EventJson>;
}

/** Events wait here until the reader takes them; only the first call of `end` counts. */
function createQueue(): Queue {
  const waiting: EventJson[] = [];
  let over: { error: Error | undefined } | undefined;
  let wake = () => {};
  async function* iterate(): AsyncGenerator<EventJson> {
    while (true) {
      while (waiting.length > 0) yield waiting.shift()!;
      if (over?.error) throw over.error;
      if (over) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return {
    push(event) {
      if (over) return;
      waiting.push(event);
      wake();
    },
    end(error) {
      over ??= { error };
      wake();
    },
    iterate,
  };
}
