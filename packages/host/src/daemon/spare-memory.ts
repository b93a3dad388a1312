import type { Lane } from '../lane/lane.ts';
import { collectGarbage, dropEmptyPages, returnFreeMemory } from '../native/memory.ts';
import { unmapProgram } from '../native/program-pages.ts';
import type { Store } from '../store/sqlite/store.ts';

/** How often the memory of the process is looked at. */
const LOOK_MS = 10_000;
/** Memory is given back when the process has grown by this much since the last time. */
const GROWN_BYTES = 16 * 1024 * 1024;
/** The same for a process at rest. */
const GROWN_AT_REST_BYTES = GROWN_BYTES / 2;
/**
 * A process that uses less processor time than this between two looks, in all its threads, is at rest: a
 * twentieth of one core.
 */
const REST_MS = LOOK_MS / 20;

export interface MemoryTools {
  /** Resident memory of the process, in bytes. */
  readonly resident: () => number;
  /** Processor time that it has used so far. */
  readonly processorMs: () => number;
  /** Drops garbage in small steps, beside other work, and what is kept only to be quicker. */
  readonly collect: () => Promise<void>;
  /** Drops the empty pages that the engine has kept for new objects since garbage was collected. */
  readonly dropPages: () => void;
  /** Takes the pages of the program out of the process, until they are used again. */
  readonly unmapProgram: () => void;
  /** Gives free memory back to the system. */
  readonly giveBack: () => Promise<void>;
}

/**
 * What is done at rest, one step at each look. V8 drops the pages in which garbage was only some seconds after it,
 * and then collects once more by itself. The program's pages come last, because all this uses many of them. The timers
 * of a process at rest soon use some of them again: that is the memory that it needs at least.
 */
const STEPS = ['collect', 'dropPages', 'giveBack', 'unmapProgram', 'settle'] as const;

const US_PER_MS = 1000;

/** The tools for this process. @param lane undefined if there is no fast lane */
export function memoryOfProcess(
  store: Pick<Store, 'dropCache'>,
  lane: Pick<Lane, 'free'> | undefined,
): MemoryTools {
  return {
    resident: () => process.memoryUsage.rss(),
    processorMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_MS;
    },
    collect: () => {
      store.dropCache();
      lane?.free('garbage');
      return collectGarbage();
    },
    dropPages: () => {
      lane?.free('pages');
      dropEmptyPages();
    },
    unmapProgram,
    giveBack: returnFreeMemory,
  };
}

/**
 * Gives memory back after a flood of requests. Without this, the C library would keep free memory for ever,
 * in pieces between those that are in use, and V8 would keep garbage until new objects need its place.
 *
 * While the process is busy, only free memory is given back. Everything else waits until the process is at rest.
 */
export class SpareMemory {
  readonly #tools: MemoryTools;
  readonly #timer: NodeJS.Timeout;
  /** Resident memory when nothing was spare, in bytes. */
  #least: number;
  #processorMs: number;
  /** The steps that are still to be done at rest before memory is given back. A start leaves garbage, too. */
  #owed: (typeof STEPS)[number][] = [...STEPS];
  #working = false;

  constructor(tools: MemoryTools) {
    this.#tools = tools;
    this.#least = tools.resident();
    this.#processorMs = tools.processorMs();
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Looks at the memory, and gives it back if that is worth the work. */
  async look(): Promise<void> {
    if (this.#working) return;
    const rests = this.#rests();
    const grown = this.#hasGrown(rests);
    if (grown) this.#owed = [...STEPS];
    const step = (rests && this.#owed.shift()) || (grown && 'giveBack');
    if (!step) return;
    this.#working = true;
    try {
      if (step !== 'settle') await this.#tools[step]();
    } catch {
      // It is tried again when the process has grown once more: a daemon that holds more than it needs still
      // serves.
    } finally {
      this.#working = false;
      this.#least = this.#tools.resident();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether there is enough to give back for all steps. */
  #hasGrown(rests: boolean): boolean {
    const grown = this.#tools.resident() - this.#least;
    if (!rests) return grown >= GROWN_BYTES;
    // Between two steps at rest, hardly anything but the steps has used memory.
    return this.#owed.length === 0 && grown >= GROWN_AT_REST_BYTES;
  }

  #rests(): boolean {
    const before = this.#processorMs;
    this.#processorMs = this.#tools.processorMs();
    return this.#processorMs - before < REST_MS;
  }
}
