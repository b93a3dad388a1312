import { CodedError } from '../base/coded-error.ts';
import type { Change, Instance } from '../core/entities.ts';
import type { EventDraft } from '../model/model.ts';
import type { Effect, WriteResult } from './guest-writes.ts';

/** The part of the model that is written to. */
export interface WritableModel {
  /** @throws instance-not-found */
  current(id: number): Instance;
  commit(changes: readonly Change[], announcements: readonly EventDraft[]): void;
}

/** Commits of guests follow each other at this distance: a few for all, however many instances write. */
const PAUSE_MS = 25;
/** Writes of one commit: everybody else waits for as long as it takes. */
const GROUP_MAX = 128;

interface Write {
  readonly instanceId: number;
  readonly work: (instance: Instance) => Effect;
  readonly done: PromiseWithResolvers<WriteResult>;
}

/** A write with what it comes to. */
interface Planned {
  readonly write: Write;
  readonly effect: Effect;
}

/**
 * Stores what instances write, many in one commit: at once when nothing has been written for a while, else a moment
 * after the last time. Invariants: a write is worked out from what is known when it is stored, earlier ones of its
 * group included; it is stored whole, with its events, or not at all; those of one instance keep their order;
 * nobody is answered before the commit; how many wait is limited by the rate at which each instance may write.
 */
export class WriteGroups {
  readonly #model: WritableModel;
  readonly #waiting: Write[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;
  #scheduled = false;

  constructor(model: WritableModel) {
    this.#model = model;
  }

  /** @param work says what is to be written, from the instance as it is then; what it throws is its own failure */
  add(instanceId: number, work: (instance: Instance) => Effect): Promise<WriteResult> {
    const done = Promise.withResolvers<WriteResult>();
    this.#waiting.push({ instanceId, work, done });
    this.#schedule();
    return done.promise;
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    const pause = this.#lastMs + PAUSE_MS - performance.now();
    // Those of the same turn of the event loop come along.
    if (pause <= 0 || this.#waiting.length >= GROUP_MAX) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), pause);
  }

  #flush(): void {
    this.#scheduled = false;
    const writes = this.#waiting.splice(0, GROUP_MAX);
    try {
      this.#store(writes);
    } catch (error) {
      // One that the store does not take must not fail the others; a disk that fails does so for all.
      if (writes.length === 1 || isDisk(error)) for (const { done } of writes) done.reject(error);
      else for (const write of writes) this.#storeAlone(write);
    }
    this.#lastMs = performance.now();
    this.#schedule();
  }

  #storeAlone(write: Write): void {
    try {
      this.#store([write]);
    } catch (error) {
      write.done.reject(error);
    }
  }

  #store(writes: readonly Write[]): void {
    const changes = new Map<number, Change>();
    const planned: Planned[] = [];
    const latest = new Map<number, Instance>();
    for (const write of writes) {
      try {
        const { instanceId, work } = write;
        const effect = work(latest.get(instanceId) ?? this.#model.current(instanceId));
        if (effect.change) {
          latest.set(instanceId, effect.change.instance);
          changes.set(instanceId, effect.change);
        }
        planned.push({ write, effect });
      } catch (error) {
        write.done.reject(error);
      }
    }
    const told = planned.flatMap(({ effect }) => effect.told);
    if (changes.size > 0 || told.length > 0) this.#model.commit([...changes.values()], told);
    for (const { write, effect } of planned) write.done.resolve(effect.result);
  }
}

function isDisk(error: unknown): boolean {
  return error instanceof CodedError && error.code.startsWith('store-');
}
