import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/coded-error.ts';
import type { Log } from '../../base/log.ts';
import type { Etcd } from '../../etcd/client.ts';
import type { Watch, WatchEnd, WatchEvent } from '../../etcd/watch-types.ts';
import type { Loss } from '../shared-store.ts';
import type { FleetKeys } from './fleet-keys.ts';
import { markAfter, readMark } from './history.ts';

/** Pauses before etcd is asked again: short at first, as after the loss of one node. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 1_000;

/** More revisions may not wait for their turn; the others are fetched when it has come. */
const WAITING_MAX = 1_000;

export interface WatchingParts {
  readonly etcd: Etcd;
  readonly keys: FleetKeys;
  readonly log: Log;
  /** Called in the order of revisions, with all events of one. Without events: nothing happened up to it. */
  readonly received: (events: readonly WatchEvent[], revision: number, mark: string | undefined) => void;
  readonly lost: (loss: Loss) => void;
  /** How many received revisions wait. */
  readonly waiting: () => number;
  /** Resolves when none waits any more. */
  readonly emptied: () => Promise<void>;
}

/** Watches all keys of the fleet from a revision on, over all failures of connections, without a gap. */
export class Watching {
  readonly #parts: WatchingParts;
  readonly #end = new AbortController();
  #received: number;
  #mark: string | undefined;
  #said = '';

  /** @param after the revision that is known @param mark its mark, if that is known */
  constructor(parts: WatchingParts, after: number, mark: string | undefined) {
    this.#parts = parts;
    this.#received = after;
    this.#mark = mark;
    void this.#run();
  }

  stop(): void {
    this.#end.abort();
  }

  async #run(): Promise<void> {
    let pauseMs = PAUSE_MS;
    while (!this.#isOver) {
      const before = this.#received;
      try {
        if (await this.#watchOnce()) pauseMs = PAUSE_MS;
      } catch (error) {
        if (this.#isOver) return;
        this.#say(messageOf(error));
      }
      if (this.#isOver) return;
      if (this.#received > before) pauseMs = PAUSE_MS;
      await this.#parts.emptied();
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
    }
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#end.signal }).catch(() => {});
  }

  #lose(loss: Loss): void {
    if (this.#isOver) return;
    this.#end.abort();
    this.#parts.lost(loss);
  }

  /** Follows until the connection ends. @returns whether etcd has accepted the watch */
  async #watchOnce(): Promise<boolean> {
    const { etcd, keys } = this.#parts;
    const read = await readMark(etcd, keys, this.#received);
    if (this.#isOver) return false;
    const isOther = 'mark' in read && this.#mark !== undefined && this.#mark !== read.mark;
    if ('loss' in read || isOther) {
      this.#lose('loss' in read ? read.loss : 'replaced');
      return false;
    }
    this.#mark = read.mark;
    const ended = Promise.withResolvers<WatchEnd>();
    let watch: Watch | undefined;
    watch = await etcd.watch({
      prefix: keys.prefix,
      startRevision: this.#received + 1,
      progressNotify: true,
      signal: this.#end.signal,
      onEvents: (events, revision) => {
        this.#take(events, revision);
        if (this.#parts.waiting() >= WAITING_MAX) watch?.close();
      },
      onProgress: (revision) => this.#take([], revision),
      onEnd: ended.resolve,
    });
    this.#said = '';
    const end = await ended.promise;
    if (end.reason === 'compacted') this.#lose('compacted');
    if (end.reason === 'refused') this.#say(messageOf(end.error));
    return end.reason !== 'refused';
  }

  /** Each reason once, until it has passed. */
  #say(reason: string): void {
    if (reason !== this.#said)
      this.#parts.log.warn({ reason }, 'this member cannot follow the fleet for now');
    this.#said = reason;
  }

  #take(events: readonly WatchEvent[], revision: number): void {
    if (this.#isOver || revision <= this.#received) return;
    this.#received = revision;
    this.#mark = markAfter(this.#mark, events, this.#parts.keys);
    this.#parts.received(events, revision, this.#mark);
  }
}
