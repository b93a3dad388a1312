import type { Config, Device } from '../core/entities.ts';
import type { Requestor } from '../model/events.ts';
import type { DeviceTarget, RunHandle, Runtime } from '../runtimes/contract/runtime.ts';

/** Why a run ends; it decides which event the end makes. */
export interface EndCause {
  /** `restart`: another run follows, and its event stands for both. */
  readonly kind: 'shutdown' | 'stopped' | 'restart';
  readonly by: Requestor | null;
}

/** The daemon's record of a run. */
export interface Run {
  readonly instanceId: number;
  readonly runNumber: number;
  readonly handle: RunHandle;
  readonly runtime: Runtime;
  /** The expanded config at its start: ids and privilege do not change while it runs. */
  readonly config: Config;
  /** When it began, or when it was recognised if it began before this daemon. */
  readonly knownSince: Date;
  /** Whether its processes are frozen. */
  frozen: boolean;
  /** Set before the daemon ends the run; null if the daemon does not end it. */
  cause: EndCause | null;
  /** Whether its end has been stored. */
  settled: boolean;
}

export function targetOf(run: Run, name: string, device: Device): DeviceTarget {
  return { id: run.instanceId, init: run.handle.init, config: run.config, name, device };
}

/** The running instances. */
export class Runs {
  readonly #runs = new Map<number, Run>();
  readonly #starts: (on: boolean) => void;
  #starting = 0;

  /** @param starts called when the first of overlapping starts begins, and when the last one is over */
  constructor(starts: (on: boolean) => void = () => {}) {
    this.#starts = starts;
  }

  get(instanceId: number): Run | undefined {
    return this.#runs.get(instanceId);
  }

  has(instanceId: number): boolean {
    return this.#runs.has(instanceId);
  }

  /** The number of running instances. */
  get size(): number {
    return this.#runs.size;
  }

  add(run: Run): void {
    this.#runs.set(run.instanceId, run);
  }

  /** Forgets a run. @returns false if it was forgotten already */
  remove(run: Run): boolean {
    return this.#runs.get(run.instanceId) === run && this.#runs.delete(run.instanceId);
  }

  /**
   * Marks a time in which there may be callers in instances that are not registered yet: during a start, and
   * while the daemon recognises runs that have gone on.
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
