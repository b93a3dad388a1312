import { Readable } from 'node:stream';
import { hostError } from '../core/host-errors.ts';
import { LOG_FOLLOWERS_MAX } from './host-limits.ts';
import { LogFollower } from './log-follower.ts';

/** The clients that follow logs of instances. */
export class LogStreams {
  readonly #followers = new Map<LogFollower, Readable>();

  /** What is in a file, then what is added to it, until the client goes away. @throws too-many-followers */
  follow(earlier: Buffer, path: string): Readable {
    if (this.#followers.size >= LOG_FOLLOWERS_MAX) throw hostError('too-many-followers');
    const follower = new LogFollower(path);
    const data = Readable.from(endingAtOnce(earlier, follower), { objectMode: false });
    this.#followers.set(follower, data);
    return data.once('close', () => {
      this.#followers.delete(follower);
      follower.stop();
    });
  }

  /** Ends all streams. Clients still get the log that is already there. */
  stop(): void {
    for (const follower of this.#followers.keys()) follower.stop();
  }

  /** Destroys the streams that have not ended, because their clients do not read. */
  cut(): void {
    for (const data of this.#followers.values()) data.destroy();
  }
}

/**
 * The chunks for a stream. A stream closes its source when its client has gone. A generator notices that only at its
 * next chunk, which may never come. So the stream first ends the follower.
 */
function endingAtOnce(earlier: Buffer, follower: LogFollower): AsyncIterable<Buffer> {
  const chunks = startingWith(earlier, follower);
  const iterator: AsyncIterator<Buffer> = {
    next: () => chunks.next(),
    return: () => {
      follower.stop();
      return chunks.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

async function* startingWith(earlier: Buffer, follower: LogFollower): AsyncGenerator<Buffer> {
  if (earlier.length > 0) yield earlier;
  yield* follower.read();
}
