/** Signals that end the daemon; for operators in a hurry, a second one of a kind ends the process at once. */
const ENDING = ['SIGTERM', 'SIGINT'] as const;

/** Ends the daemon, or (SIGHUP) restarts it in place. */
export type Signal = (typeof ENDING)[number] | 'SIGHUP';

/** The signals to this process, in the order in which they come, also those before `next` is called. */
export class SignalQueue {
  readonly #waiting: Signal[] = [];
  #wake = (): void => {};

  constructor() {
    for (const signal of ENDING) process.once(signal, () => this.#add(signal));
    // Last: when another process sees that SIGHUP is caught, all of the handlers are set.
    process.on('SIGHUP', () => this.#add('SIGHUP'));
  }

  /** Whether the process has been told to end. */
  get ended(): boolean {
    return this.#waiting.some((signal) => signal !== 'SIGHUP');
  }

  /** Settles when all signals so far are in the queue: they go through a pipe, which the event loop reads. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate);
  }

  /** The next signal; equal ones that wait after it count as one with it. */
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
