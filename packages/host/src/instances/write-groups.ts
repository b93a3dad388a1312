import { CodedError } from '../base/coded-error.ts';
import type { Change, Instance } from '../core/entities.ts';
import type { EventDraft } from '../model/event-draft.ts';
import type { Effect, WriteResult } from './guest-writes.ts';

/** The part of the model that writes of instances use. */
export interface WritableModel {
  /** @throws instance-not-found */
  current(id: number): Instance;
  commit(changes: readonly Change[], announcements: readonly EventDraft[]): void;
}

/** The time between commits of guests' writes: so all instances together cause only a few. */
const PAUSE_MS = 25;
/** The most writes of one commit: all other requests wait while it is made. */
const GROUP_MAX = 128;

interface Write {
  readonly instanceId: number;
  readonly work: (instance: Instance) => Effect;
  readonly done: PromiseWithResolvers<WriteResult>;
}

/** A write with its effect. */
interface Planned {
  readonly write: Write;
  readonly effect: Effect;
}

/**
 * Stores writes of instances, many in one commit: at once if there was no commit for a while, else `PAUSE_MS`
 * after the last one. Invariants: the effect of a write is computed when it is stored, from the state at that
 * time, with earlier writes of its group; a write is stored with its events or not at all; writes of one
 * instance keep their order; a write is answered only after the commit. The number of waiting writes is
 * bounded by the rate at which each instance may write.
 */
export class WriteGroups {
  readonly #model: WritableModel;
  readonly #waiting: Write[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;
  #scheduled = false;

  constructor(model: WritableModel) {
    this.#model = model;
  }

  /** @param work computes the effect, from the instance as it is then; if it throws, only this write fails */
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
    // Not at once, so that further writes in this iteration of the event loop are in the same commit.
    if (pause <= 0 || this.#waiting.length >= GROUP_MAX) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), pause);
  }

  #flush(): void {
    this.#scheduled = false;
    const writes = this.#waiting.splice(0, GROUP_MAX);
    try {
      this.#store(writes);
    } catch (error) {
      // A write that the store refuses must not fail the others; a failure of the disk fails all.
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
    const events = planned.flatMap(({ effect }) => effect.events);
    if (changes.size > 0 || events.length > 0) this.#model.commit([...changes.values()], events);
    for (const { write, effect } of planned) write.done.resolve(effect.result);
  }
}

function isDisk(error: unknown): boolean {
  return error instanceof CodedError && error.code.startsWith('store-');
}
