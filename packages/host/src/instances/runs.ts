import type { Config, Device } from '../core/entities.ts';
import type { Requestor } from '../model/events.ts';
import type { DeviceTarget, RunHandle, Runtime } from '../runtimes/contract/runtime.ts';

/** Why a run ends: who ends it decides which event tells of it. */
export interface EndCause {
  /** `restart`: the run is followed by another, which tells of both. */
  readonly kind: 'shutdown' | 'stopped' | 'restart';
  readonly by: Requestor | null;
}

/** A run of an instance that goes on. */
export interface Run {
  readonly instanceId: number;
  readonly runNumber: number;
  readonly handle: RunHandle;
  readonly runtime: Runtime;
  /** Expanded configuration that it was started with: ids and privilege do not change while it runs. */
  readonly config: Config;
  /** When it began; when it was found, if it ran before this daemon. */
  readonly knownSince: Date;
  /** Its processes do not get to run. */
  frozen: boolean;
  /** Set by the one who ends it, before it ends. */
  cause: EndCause | null;
  /** Its end has been stored. */
  settled: boolean;
}

/** A device of a run. */
export function targetOf(run: Run, name: string, device: Device): DeviceTarget {
  return { id: run.instanceId, init: run.handle.init, config: run.config, name, device };
}

/** Which instances run. */
export class Runs {
  readonly #runs = new Map<number, Run>();
  readonly #starts: (on: boolean) => void;
  #starting = 0;

  /** @param starts told when a first start begins, and when the last one is over, well or badly */
  constructor(starts: (on: boolean) => void = () => {}) {
    this.#starts = starts;
  }

  get(instanceId: number): Run | undefined {
    return this.#runs.get(instanceId);
  }

  has(instanceId: number): boolean {
    return this.#runs.has(instanceId);
  }

  /** How many there are. */
  get size(): number {
    return this.#runs.size;
  }

  add(run: Run): void {
    this.#runs.set(run.instanceId, run);
  }

  /** Forgets a run; false when it was forgotten already. */
  remove(run: Run): boolean {
    return this.#runs.get(run.instanceId) === run && this.#runs.delete(run.instanceId);
  }

  /**
   * Marks the time in which processes of instances may ask that are not registered yet: at a start, and while the
   * daemon recognises those that have gone on running.
   */
  async whileStarting<T>(work: () => Promise<T>): Promise<T> {
    if (this.#starting++ === 0) this.#starts(true);
    try {
      return await work();
    } finally {
      if (--this.#starting === 0) this.#starts(false);
    }
  }
}
