import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DaemonLog } from './daemon-log.ts';
import { countsOf, fileMib, residentMib, sharedMib, ticks } from './processes.ts';
import { latenciesOf, type Sample } from './samples.ts';
import type { Tally } from './tally.ts';

const MS_PER_S = 1000;
const BYTES_PER_MIB = 1024 * 1024;

interface Watched {
  readonly daemon: { readonly pid: number; readonly stateDir: string };
  readonly log: DaemonLog;
  readonly tally: Tally;
}

/** Looks at the daemon again and again, until `stop`. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #watched: Watched;
  readonly #everyMs: number;
  readonly #end = new AbortController();
  readonly #done: Promise<void>;
  readonly #started = performance.now();
  #failed = 0;

  constructor(watched: Watched, everyMs: number) {
    this.#watched = watched;
    this.#everyMs = everyMs;
    this.#done = this.#run();
    this.#done.catch(() => {});
  }

  /** Seconds since the first look. */
  get seconds(): number {
    return (performance.now() - this.#started) / MS_PER_S;
  }

  /** Ends the looks. @throws when one of them has failed */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    for (let before = await ticks(), next = this.#everyMs; !signal.aborted; next += this.#everyMs) {
      await wait(Math.max(0, next - this.seconds * MS_PER_S), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // While no daemon runs, there is nothing to look at.
      if (this.#watched.tally.isKilled) continue;
      const now = await ticks();
      const busy = (now.used - before.used) / Math.max(1, now.all - before.all);
      before = now;
      const sample = await this.#look(busy).catch((error: unknown) => {
        // It was killed in the middle of the look.
        if (this.#watched.tally.isKilled) return null;
        throw error;
      });
      if (sample) this.samples.push(sample);
    }
  }

  async #look(busy: number): Promise<Sample> {
    const { daemon, log, tally } = this.#watched;
    const { pid, stateDir } = daemon;
    const inside = log.takeInside();
    const failed = tally.failed.count - this.#failed;
    this.#failed = tally.failed.count;
    const most = (name: 'p99' | 'max') =>
      inside.length === 0 ? null : Math.max(...inside.map((each) => each[name]));
    const heap = inside.at(-1)?.heap;
    return {
      at: this.seconds,
      pss: await sharedMib(pid),
      rss: await residentMib(pid),
      heap: heap === undefined ? null : heap / BYTES_PER_MIB,
      ...(await countsOf(pid)),
      wal: fileMib(join(stateDir, 'porthole.db-wal')),
      database: fileMib(join(stateDir, 'porthole.db')),
      ...latenciesOf(tally.takeTimes()),
      delayP99: most('p99'),
      delayMax: most('max'),
      failed,
      busy,
    };
  }
}
