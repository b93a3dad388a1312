import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import type { Etcd } from '../../etcd/client.ts';
import { type Fence, type FenceKeeper, fenceNumber, fenceOf } from './fence.ts';
import type { FleetKeys } from './fleet-keys.ts';

/** How long a member has its lease after it has renewed it. */
const LEASE_SECONDS = 5;

/** Time between two signs of life: three of them fit into the lease. */
const KEEP_ALIVE_MS = 1_500;

/** Pause before the next attempt after a failure. */
const RETRY_MS = 250;

/** Two clocks that run at different speeds differ by less in the time of a lease. */
const MARGIN_MS = 100;

const MS_PER_SECOND = 1_000;

export interface LeaseParts {
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  readonly member: string;
  /** Random, for this run of the daemon. */
  readonly run: string;
  readonly log: Log;
  /** Called with true when the member has its lease, and with false within the time of the lease when it has lost it. */
  readonly changed: (isAlive: boolean) => void;
  /** Whether it takes the key from an earlier run of this member, which may have been killed; true by default. */
  readonly takesOver?: boolean;
  /** A clock that never jumps. */
  readonly monotonicMs?: () => number;
}

interface Held {
  readonly id: string;
  readonly fence: Fence;
  /** On the monotonic clock; etcd keeps the lease at least until then. */
  readonly until: number;
}

/**
 * The lease of this member, under which its key `alive/` exists. The time of the lease counts from before the request
 * was sent, so for the member it ends before it ends in etcd. After a loss the member gets a new lease as soon as it can.
 */
export class Lease implements FenceKeeper {
  readonly run: string;
  readonly #parts: LeaseParts;
  readonly #monotonicMs: () => number;
  readonly #end = new AbortController();
  readonly #started: Promise<void>;
  #held: Held | null = null;
  /** The newest lease that may exist: the key may be under it, also if the answer was lost. */
  #granted: string | undefined;
  #isToldAlive = false;
  /** The newest number that was tried. None is tried twice: an attempt whose answer was lost may still happen. */
  #number = 0;
  #mayTakeOver: boolean;
  #isTaken = false;
  #timer: NodeJS.Timeout | undefined;
  #wake = Promise.withResolvers<void>();
  #renewing: Promise<void> | null = null;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.run = parts.run;
    this.#mayTakeOver = parts.takesOver ?? true;
    this.#monotonicMs = parts.monotonicMs ?? (() => performance.now());
    this.#started = this.#run();
  }

  fence(): Fence | null {
    // The timer may be late when the main thread is busy.
    return this.#held && this.#monotonicMs() < this.#held.until ? this.#held.fence : null;
  }

  /** Whether another daemon has this member's key. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  async renew(used: Fence): Promise<void> {
    while (this.#held?.fence === used && this.fence() && !this.#end.signal.aborted) {
      this.#renewing ??= this.#renewOnce().finally(() => {
        this.#renewing = null;
      });
      await this.#renewing;
    }
  }

  /** Gives the lease back: the others know at once that this member is gone. */
  async stop(): Promise<void> {
    await this.leave();
    const id = this.#granted;
    if (id) await this.#parts.etcd.revoke(id, { timeoutMs: KEEP_ALIVE_MS }).catch(() => {});
  }

  /** Ends, and leaves the lease to the next daemon of this member, which takes its key over. */
  async leave(): Promise<void> {
    this.#end.abort();
    this.#wake.resolve();
    await this.#started;
    clearTimeout(this.#timer);
    this.#held = null;
    this.#isToldAlive = false;
  }

  async #run(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        if (!this.fence()) await this.#acquire();
        else await this.#keepAlive();
      } catch (error) {
        this.#parts.log.debug(
          { reason: messageOf(error) },
          'etcd does not answer for the lease of this member',
        );
      }
      await this.#pause(this.#isFresh ? KEEP_ALIVE_MS : RETRY_MS);
    }
  }

  /** Whether the newest sign of life has arrived. */
  get #isFresh(): boolean {
    const left = (this.#held?.until ?? 0) - this.#monotonicMs();
    return left > LEASE_SECONDS * MS_PER_SECOND - KEEP_ALIVE_MS;
  }

  /** Ends early when the lease is lost. */
  async #pause(ms: number): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#wake = Promise.withResolvers<void>();
    const timer = setTimeout(this.#wake.resolve, ms);
    await this.#wake.promise;
    clearTimeout(timer);
  }

  #hold(id: string, fence: Fence, until: number): void {
    if (this.#end.signal.aborted) return;
    this.#held = { id, fence, until };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose('etcd was not reached in time'), until - this.#monotonicMs());
    if (this.#isToldAlive) return;
    this.#isToldAlive = true;
    this.#parts.changed(true);
  }

  #nextFence(): Fence {
    this.#number += 1;
    return fenceOf(this.run, this.#number);
  }

  #lose(reason: string): void {
    clearTimeout(this.#timer);
    this.#held = null;
    this.#granted = undefined;
    this.#wake.resolve();
    if (!this.#isToldAlive || this.#end.signal.aborted) return;
    this.#isToldAlive = false;
    this.#parts.log.warn({ reason }, 'this member has lost its lease: it is cut off from the fleet');
    this.#parts.changed(false);
  }

  async #keepAlive(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const sentAt = this.#monotonicMs();
    const seconds = await this.#parts.etcd.keepAlive(held.id, {
      timeoutMs: Math.max(1, Math.min(KEEP_ALIVE_MS, held.until - sentAt)),
      signal: this.#end.signal,
    });
    if (this.#held?.id !== held.id || this.#end.signal.aborted) return;
    if (seconds <= 0) this.#lose('etcd has ended it');
    else this.#hold(held.id, this.#held.fence, sentAt + seconds * MS_PER_SECOND - MARGIN_MS);
  }

  /** Gets a lease, and the member's key under it. */
  async #acquire(): Promise<void> {
    const { etcd, log, member } = this.#parts;
    const sentAt = this.#monotonicMs();
    const id = await etcd.grant(LEASE_SECONDS, { timeoutMs: KEEP_ALIVE_MS, signal: this.#end.signal });
    this.#granted = id;
    const fence = this.#nextFence();
    const wasTaken = this.#isTaken;
    this.#isTaken = !(await this.#announce(id, fence));
    if (!this.#isTaken) {
      this.#mayTakeOver = false;
      this.#hold(id, fence, sentAt + LEASE_SECONDS * MS_PER_SECOND - MARGIN_MS);
      return;
    }
    if (!wasTaken) log.error({ member }, 'another daemon is this member of the fleet');
    await etcd.revoke(id, { timeoutMs: KEEP_ALIVE_MS });
  }

  /**
   * Writes the key. The first time in a run it takes the key from an earlier run, which may have been killed; later,
   * only if nobody else has it.
   * @returns whether it is this run's
   */
  async #announce(lease: string, fence: Fence): Promise<boolean> {
    const { etcd, keys, member } = this.#parts;
    const key = keys.alive(member);
    const { kvs } = await etcd.range({ key }, { timeoutMs: KEEP_ALIVE_MS });
    const [there] = kvs;
    if (there && !this.#mayTakeOver && fenceNumber(this.run, there.value) === undefined) return false;
    const { succeeded } = await etcd.txn(
      {
        compare: [{ key, is: '=', modRevision: there?.modRevision ?? 0 }],
        success: [{ put: { key, value: fence.value, lease } }],
      },
      { timeoutMs: KEEP_ALIVE_MS },
    );
    if (!succeeded) throw new Error('the key has changed meanwhile');
    return true;
  }

  async #renewOnce(): Promise<void> {
    const { etcd, keys, member, log } = this.#parts;
    const held = this.#held;
    if (!held) return;
    const key = keys.alive(member);
    const fence = this.#nextFence();
    try {
      const { kvs } = await etcd.range({ key }, { timeoutMs: KEEP_ALIVE_MS });
      const [there] = kvs;
      if (!there || fenceNumber(this.run, there.value) === undefined || there.lease !== held.id)
        return this.#lose('another daemon, or an operator, has ended it');
      const { succeeded } = await etcd.txn(
        {
          compare: [{ key, is: '=', modRevision: there.modRevision }],
          success: [{ put: { key, value: fence.value, lease: held.id } }],
        },
        { timeoutMs: KEEP_ALIVE_MS },
      );
      if (succeeded && this.#held?.id === held.id) this.#held = { ...this.#held, fence };
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'etcd does not answer for the fence of this member');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
