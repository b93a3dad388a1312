import { CodedError } from '../base/coded-error.ts';
import type { Change, Instance } from '../core/entities.ts';
import type { Agreed } from '../model/agreement.ts';
import type { EventDraft } from '../model/event-draft.ts';
import type { Effect, WriteResult } from './guest-writes.ts';

/** The part of the model that writes of instances use. */
export interface WritableModel {
  /** @throws instance-not-found */
  current(id: number): Instance;
  change(make: () => Agreed): Promise<void>;
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
 * bounded by the rate at which each instance may write. The next group waits for the commit of the one before.
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
    const flush = () => void this.#flush();
    // Not at once, so that further writes in this iteration of the event loop are in the same commit.
    if (pause <= 0 || this.#waiting.length >= GROUP_MAX) setImmediate(flush);
    else setTimeout(flush, pause);
  }

  async #flush(): Promise<void> {
    await this.#store(this.#waiting.splice(0, GROUP_MAX));
    this.#lastMs = performance.now();
    this.#scheduled = false;
    this.#schedule();
  }

  async #store(writes: readonly Write[]): Promise<void> {
    try {
      await this.#commit(writes);
    } catch (error) {
      // A write that the store refuses must not fail the others; a failure of the store fails all.
      if (writes.length === 1 || isOfAll(error)) for (const { done } of writes) done.reject(error);
      else for (const part of partsOf(writes, error)) await this.#store(part);
    }
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const failed = new Set<Write>();
    const fail = (write: Write, error: unknown) => {
      failed.add(write);
      write.done.reject(error);
    };
    let group: Group | undefined;
    await this.#model.change(() => {
      const left = writes.filter((write) => !failed.has(write));
      group = planned(left, (id) => this.#model.current(id), fail);
      return { changes: [...group.changes.values()], events: group.events };
    });
    for (const { write, effect } of group?.planned ?? []) write.done.resolve(effect.result);
  }
}

interface Group {
  readonly planned: readonly Planned[];
  /** By instance id. */
  readonly changes: ReadonlyMap<number, Change>;
  readonly events: readonly EventDraft[];
}

/** The effects of writes, each from the state after those before it. */
function planned(
  writes: readonly Write[],
  current: (id: number) => Instance,
  fail: (write: Write, error: unknown) => void,
): Group {
  const changes = new Map<number, Change>();
  const done: Planned[] = [];
  const latest = new Map<number, Instance>();
  for (const write of writes) {
    try {
      const { instanceId, work } = write;
      const effect = work(latest.get(instanceId) ?? current(instanceId));
      if (effect.change) {
        latest.set(instanceId, effect.change.instance);
        changes.set(instanceId, effect.change);
      }
      done.push({ write, effect });
    } catch (error) {
      fail(write, error);
    }
  }
  return { planned: done, changes, events: done.flatMap(({ effect }) => effect.events) };
}

/** Each write alone; halves if the store takes no change of this size. */
function partsOf(writes: readonly Write[], error: unknown): (readonly Write[])[] {
  const size = isCode(error, 'fleet-change-too-large') ? Math.ceil(writes.length / 2) : 1;
  const parts: (readonly Write[])[] = [];
  for (let at = 0; at < writes.length; at += size) parts.push(writes.slice(at, at + size));
  return parts;
}

const isCode = (error: unknown, code: string) => error instanceof CodedError && error.code === code;

/** Errors of a change of what the fleet shares. Other writes of the same group may only change what is this host's. */
const OF_SOME: ReadonlySet<string> = new Set(['fleet-change-too-large', 'fleet-cut-off']);

/** Whether no write can be stored now. */
function isOfAll(error: unknown): boolean {
  if (!(error instanceof CodedError) || OF_SOME.has(error.code)) return false;
  return error.code.startsWith('store-') || error.code.startsWith('fleet-');
}
