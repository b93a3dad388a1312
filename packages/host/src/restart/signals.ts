/** Signals that end the daemon; a second one of the same kind ends the process at once: somebody is in a hurry. */
const ENDING = ['SIGTERM', 'SIGINT'] as const;

/** Ends the daemon, or (SIGHUP) has it start anew. */
export type Signal = (typeof ENDING)[number] | 'SIGHUP';

/** The signals to this process, in the order in which they come, also before anybody asks for them. */
export class SignalQueue {
  readonly #waiting: Signal[] = [];
  #wake = (): void => {};

  constructor() {
    for (const signal of ENDING) process.once(signal, () => this.#add(signal));
    // Last: who looks from outside knows by this one that all are there.
    process.on('SIGHUP', () => this.#add('SIGHUP'));
  }

  /** Whether the process has been told to end. */
  get ended(): boolean {
    return this.#waiting.some((signal) => signal !== 'SIGHUP');
  }

  /** Settles when all that have come are in the queue: they are written to a pipe, which the event loop reads. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  }

  /** The next one; several that ask for the same, and have all come, are one. */
  async next(): Promise<Signal> {
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const next = this.#waiting.shift() as Signal;
    while (this.#waiting[0] === next) this.#waiting.shift();
    return next;
  }

  #add(signal: Signal): void {
    this.#waiting.push(signal);
    this.#wake();
  }
}
