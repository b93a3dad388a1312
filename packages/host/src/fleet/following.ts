import { messageOf } from '../base/coded-error.ts';
import type { Change } from '../core/entities.ts';
import type { SharedChange } from '../core/shared.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { Batch, SharedStore } from '../store/shared-store.ts';
import { Adjuster, type Reached } from './adjust.ts';
import { difference, knownPuts, putsOf } from './difference.ts';
import { followed } from './elsewhere.ts';
import type { Mirror } from './mirror.ts';

type FollowNeeds = RunNeeds & Needs<'random'>;

/** The time between tries of a change that the local store does not take, e.g. on a full disk. */
const AGAIN_MS = 1_000;

/**
 * Follows the fleet's changes, one revision after the other. Each is one transaction of the local store, with its
 * revision and the events of the instances that it reaches, so that a daemon that ends at any time goes on where it was.
 */
export class Following {
  readonly #context: FollowNeeds;
  readonly #store: SharedStore;
  readonly #mirror: Mirror;
  readonly #adjuster: Adjuster;
  readonly #abort = new AbortController();
  /** Work on running instances that has begun. */
  #adjusting: Promise<void> = Promise.resolve();
  #end = () => {};

  constructor(context: FollowNeeds, store: SharedStore, mirror: Mirror) {
    this.#context = context;
    this.#store = store;
    this.#mirror = mirror;
    this.#adjuster = new Adjuster(context);
  }

  start(): void {
    this.#end = this.#store.follow(this.#mirror.fleet.revision, {
      changed: (batch) => this.#untilDone(() => this.#changed(batch)),
      lost: () => void this.#startAgain(),
    });
  }

  stop(): void {
    this.#abort.abort();
    this.#end();
  }

  /** Settles when running instances are in line with all changes so far, or cannot be. */
  get adjusted(): Promise<void> {
    return this.#adjusting;
  }

  async #changed({ revision, changes, apply }: Batch): Promise<void> {
    if (revision <= this.#mirror.fleet.revision) return;
    const extra = this.#mirror.changesFor(revision, changes);
    if (apply) apply(extra);
    else await this.#follow(changes, extra);
    this.#mirror.apply(revision, changes);
  }

  async #follow(changes: readonly SharedChange[], extra: readonly Change[]): Promise<void> {
    const { model } = this.#context;
    const { change, reached } = followed(this.#context, changes, this.#mirror.fleet.member, extra);
    await model.commitMany(change);
    this.#adjust(reached);
  }

  #adjust(reached: readonly Reached[]): void {
    if (reached.length === 0) return;
    this.#adjusting = Promise.all([this.#adjusting, this.#adjuster.adjust(reached)]).then(() => {});
  }

  /**
   * The history after the own revision is gone: takes over the whole state. What happened between is not known, so
   * all positions of instances before now are too old, and their connections end.
   */
  async #startAgain(): Promise<void> {
    const { log } = this.#context;
    await this.#untilDone(async () => {
      const { revision, state } = await this.#store.load();
      const changes = difference(knownPuts(this.#context.model, this.#mirror), putsOf(state));
      const ids = [...this.#context.model.state.instances.keys()];
      const extra = [
        ...ids.map((instanceId): Change => ({ kind: 'break-history', instanceId })),
        ...this.#mirror.changesFor(revision, changes),
      ];
      await this.#follow(changes, extra);
      this.#mirror.apply(revision, changes);
      for (const id of ids) this.#context.guests.closeInstance(id, 'changes of the fleet may have been missed');
      log.warn({ revision, changes: changes.length }, 'the history of the fleet was gone: took over its state');
    });
    if (!this.#abort.signal.aborted) this.start();
  }

  /** Tries again until it is done, or the daemon stops: the next change must not come first. */
  async #untilDone(work: () => Promise<void>): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        this.#context.log.error({ reason: messageOf(error) }, 'a change of the fleet could not be stored here');
        await pause(AGAIN_MS, this.#abort.signal);
      }
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
