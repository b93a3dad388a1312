import { Readable } from 'node:stream';
import { hostError } from '../core/host-errors.ts';
import { LOG_FOLLOWERS_MAX } from './host-limits.ts';
import { LogFollower } from './log-follower.ts';

/** The clients that follow logs of instances. */
export class LogStreams {
  readonly #followers = new Set<LogFollower>();

  /** What is in a file, then what is added to it, until the client goes away. @throws too-many-followers */
  follow(earlier: Buffer, path: string): Readable {
    if (this.#followers.size >= LOG_FOLLOWERS_MAX) throw hostError('too-many-followers');
    const follower = new LogFollower(path);
    this.#followers.add(follower);
    const data = Readable.from(startingWith(earlier, follower), { objectMode: false });
    return data.once('close', () => {
      this.#followers.delete(follower);
      follower.stop();
    });
  }

  /** Ends all of them. */
  stop(): void {
    for (const follower of this.#followers) follower.stop();
  }
}

async function* startingWith(earlier: Buffer, follower: LogFollower): AsyncGenerator<Buffer> {
  if (earlier.length > 0) yield earlier;
  yield* follower.read();
}
