import { collectGarbage, dropEmptyPages, returnFreeMemory } from '../native/memory.ts';

/** How often it is looked at what the process has. */
const LOOK_MS = 10_000;
/** Memory is given back when the process has grown by so much since the last time. */
const GROWN_BYTES = 16 * 1024 * 1024;
/** Processor time of all threads from look to look, below which the process is at rest: a twentieth of one core. */
const REST_MS = LOOK_MS / 20;

export interface MemoryTools {
  /** Bytes that the process has. */
  readonly resident: () => number;
  /** Processor time that it has used so far. */
  readonly processorMs: () => number;
  /** Drops garbage in pieces, beside other work. */
  readonly collect: () => Promise<void>;
  /** Drops what the engine has kept, since garbage was collected, for new objects that have not come. */
  readonly dropPages: () => void;
  /** Gives back what is free. */
  readonly giveBack: () => Promise<void>;
}

const US_PER_MS = 1000;

/** Of this process. */
export function memoryOfProcess(): MemoryTools {
  return {
    resident: () => process.memoryUsage.rss(),
    processorMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / US_PER_MS;
    },
    collect: collectGarbage,
    dropPages: dropEmptyPages,
    giveBack: returnFreeMemory,
  };
}

/**
 * Gives memory back after a flood of requests. The C library keeps what it has once got, in pieces between those that
 * are in use, and V8 keeps garbage for as long as nothing new is asked for: both would be so for ever.
 *
 * While the process has much to do, only what is free already is given back. What is garbage, and what is in use then,
 * is left until it has come to rest: garbage is collected at the first look, and the pages in which it was are dropped
 * at the next.
 */
export class SpareMemory {
  private readonly tools: MemoryTools;
  private readonly timer: NodeJS.Timeout;
  /** What the process had when nothing was spare. */
  private least: number;
  private processorMs: number;
  /** What is to be done before memory is given back, when the process is at rest. */
  private owed: ('collect' | 'dropPages')[] = [];
  private working = false;

  constructor(tools: MemoryTools) {
    this.tools = tools;
    this.least = tools.resident();
    this.processorMs = tools.processorMs();
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Looks, and gives back what is worth it. */
  async look(): Promise<void> {
    if (this.working) return;
    const rests = this.rests();
    const grown = this.tools.resident() - this.least >= GROWN_BYTES;
    if (grown) this.owed = ['collect', 'dropPages'];
    const step = rests ? this.owed.shift() : undefined;
    if (!grown && step === undefined) return;
    this.working = true;
    try {
      if (step !== undefined) await this.tools[step]();
      await this.tools.giveBack();
    } catch {
      // It is tried again when the process has grown once more: a daemon that holds more than it needs still serves.
    } finally {
      this.working = false;
      this.least = this.tools.resident();
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private rests(): boolean {
    const before = this.processorMs;
    this.processorMs = this.tools.processorMs();
    return this.processorMs - before < REST_MS;
  }
}
