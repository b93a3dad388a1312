import type { ExecProcess, ExecRequest } from '../../runtimes/contract/exec.ts';

/** A process whose output, end and reading of input are controlled by a test. */
export class FakeProcess implements ExecProcess {
  readonly request: ExecRequest;
  readonly input: Buffer[] = [];
  readonly signals: number[] = [];
  readonly sizes: string[] = [];
  /** If false, `write` accepts data but asks the writer to wait for `drain`. */
  hungry = true;
  inputEnded = false;
  paused = false;
  readonly exited: Promise<number>;
  readonly exit: (code: number) => void;
  readonly failToRun: (error: Error) => void;
  #output: (fd: 1 | 2, data: Uint8Array) => void = () => {};
  #drained = () => {};
  #waiters: { done: () => boolean; resolve: () => void }[] = [];

  constructor(request: ExecRequest) {
    this.request = request;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.exited = promise;
    this.exit = resolve;
    this.failToRun = reject;
    promise.catch(() => {});
  }

  write(data: Uint8Array): boolean {
    this.input.push(Buffer.from(data));
    this.#changed();
    return this.hungry;
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  drain(): void {
    this.hungry = true;
    this.#drained();
  }

  endInput(): void {
    this.inputEnded = true;
    this.#changed();
  }

  onOutput(listener: (fd: 1 | 2, data: Uint8Array) => void): void {
    this.#output = listener;
  }

  say(fd: 1 | 2, data: string | Uint8Array): void {
    this.#output(fd, Buffer.from(data));
  }

  pause(): void {
    this.paused = true;
    this.#changed();
  }

  resume(): void {
    this.paused = false;
    this.#changed();
  }

  resize(width: number, height: number): void {
    this.sizes.push(`${width}x${height}`);
    this.#changed();
  }

  signal(number: number): void {
    this.signals.push(number);
    this.#changed();
  }

  get text(): string {
    return Buffer.concat(this.input).toString();
  }

  /** Resolves as soon as `done` returns true. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  #changed(): void {
    for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !waiter.done());
  }
}
