/** How often it is looked at what the process has. */
const LOOK_MS = 10_000;
/** Memory is given back when the process has grown by so much since the last time. */
const GROWN_BYTES = 16 * 1024 * 1024;

export interface MemoryTools {
  /** Bytes that the process has. */
  readonly resident: () => number;
  /** Gives back what is free. */
  readonly giveBack: () => Promise<void>;
}

/**
 * Gives memory back after a flood of requests: the C library keeps what it has once got, in pieces between those that
 * are in use, and would keep it for ever.
 */
export class SpareMemory {
  private readonly tools: MemoryTools;
  private readonly timer: NodeJS.Timeout;
  /** What the process had when nothing was spare. */
  private least: number;
  private working = false;

  constructor(tools: MemoryTools) {
    this.tools = tools;
    this.least = tools.resident();
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Looks, and gives back what is worth it. */
  async look(): Promise<void> {
    if (this.working || this.tools.resident() - this.least < GROWN_BYTES) return;
    this.working = true;
    await this.tools.giveBack();
    this.working = false;
    this.least = this.tools.resident();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
