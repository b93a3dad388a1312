import { randomBytes } from 'node:crypto';
import { hostError } from '../../core/errors.ts';
import type { ExecSession } from '../../instances/requests.ts';
import type { ExecProcess, ExecRequest } from '../../runtimes/contract/exec.ts';
import type { FakeOperations } from './fake-operations.ts';

/** A process whose output, end and appetite a test decides. */
export class FakeProcess implements ExecProcess {
  readonly input: Buffer[] = [];
  readonly signals: number[] = [];
  readonly sizes: string[] = [];
  /** False: it takes what it is given, but asks for a break until `drain`. */
  hungry = true;
  inputEnded = false;
  paused = false;
  readonly exited: Promise<number>;
  readonly exit: (code: number) => void;
  readonly failToRun: (error: Error) => void;
  #output: (fd: 1 | 2, data: Uint8Array) => void = () => {};
  #drained = () => {};
  #waiters: { done: () => boolean; resolve: () => void }[] = [];

  constructor() {
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

  /** Settles as soon as something holds. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  #changed(): void {
    for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !waiter.done());
  }
}

/** An exec in memory: its process is there from the beginning, and runs from `start` on. */
export class FakeSession implements ExecSession {
  readonly process = new FakeProcess();
  readonly request: ExecRequest;
  readonly operation;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly #operations: FakeOperations;
  starts = 0;

  constructor(operations: FakeOperations, name: string, request: ExecRequest) {
    this.#operations = operations;
    this.request = request;
    this.environment = { PATH: '/bin', ...request.environment };
    this.secrets = request.waitForWebsocket ? newSecrets(request.interactive) : {};
    this.operation = operations.begin({
      class: request.waitForWebsocket ? 'websocket' : 'task',
      description: 'Executing command',
      resources: { instances: [name] },
      metadata: {
        command: request.command,
        environment: this.environment,
        interactive: request.interactive,
        ...(request.waitForWebsocket && { fds: this.secrets }),
      },
    });
    operations.addSession(this);
  }

  async start(): Promise<ExecProcess> {
    this.starts++;
    const { id, metadata } = this.operation;
    this.process.exited.then(
      (code) => this.#operations.change(id, { status: 'Success', metadata: { ...metadata, return: code } }),
      () =>
        this.#operations.change(id, {
          status: 'Failure',
          err: hostError('command-not-found').message,
          metadata: { ...metadata, return: 127 },
        }),
    );
    return this.process;
  }

  fail(message: string): void {
    this.#operations.change(this.operation.id, { status: 'Failure', err: message });
  }
}

function newSecrets(interactive: boolean): Record<string, string> {
  const names = interactive ? ['0', 'control'] : ['0', '1', '2', 'control'];
  return Object.fromEntries(names.map((name) => [name, randomBytes(32).toString('hex')]));
}
