import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';
import { othersOnline } from './ask-members.ts';
import type { FleetCases } from './fleet-cases.ts';
import { STREAMS_LINGER_MS, STREAMS_READY_MS } from './host-limits.ts';
import { MemberStream, type TakeEvent } from './member-stream.ts';

/**
 * The event streams of all other members that are online. They are open while there is a listener here, and some time
 * longer. All listeners share them.
 */
export class MemberStreams {
  readonly #fleet: FleetCases;
  readonly #take: TakeEvent;
  readonly #log: Log;
  readonly #streams = new Map<string, MemberStream>();
  #listeners = 0;
  #linger: NodeJS.Timeout | undefined;
  #unfollow: (() => void) | undefined;

  constructor(fleet: FleetCases, take: TakeEvent, log: Log) {
    this.#fleet = fleet;
    this.#take = take;
    this.#log = log;
  }

  /** Opens them for one more listener. @returns a function to be called when that listener has gone */
  hold(): () => void {
    this.#listeners++;
    clearTimeout(this.#linger);
    this.#unfollow ??= this.#fleet.onChange(() => this.#adapt());
    this.#adapt();
    return () => {
      this.#listeners--;
      if (this.#listeners === 0) this.#linger = setTimeout(() => this.stop(), STREAMS_LINGER_MS).unref();
    };
  }

  /** Settles when all are open. A member that does not answer in time is not waited for. */
  async ready(): Promise<void> {
    await within(STREAMS_READY_MS, Promise.all([...this.#streams.values()].map(({ ready }) => ready)));
  }

  /** Ends them all, until the next listener. */
  stop(): void {
    clearTimeout(this.#linger);
    this.#unfollow?.();
    this.#unfollow = undefined;
    for (const member of [...this.#streams.keys()]) this.#end(member);
  }

  #adapt(): void {
    const wanted = new Set(othersOnline(this.#fleet));
    for (const member of [...this.#streams.keys()]) if (!wanted.has(member)) this.#end(member);
    for (const member of wanted) if (!this.#streams.has(member)) this.#begin(member);
  }

  #begin(member: string): void {
    const stream = new MemberStream({
      agent: () => this.#fleet.agent(member),
      take: this.#take,
      failed: (reason) => this.#log.warn({ member, reason }, 'event stream of a member is not open'),
    });
    this.#streams.set(member, stream);
  }

  #end(member: string): void {
    this.#streams.get(member)?.stop();
    this.#streams.delete(member);
  }
}
