import { randomBytes } from 'node:crypto';
import { hostError } from '../../core/errors.ts';
import type { ExecSession } from '../../instances/requests.ts';
import { FakeProcess } from '../../instances/testing/fake-process.ts';
import type { ExecProcess, ExecRequest } from '../../runtimes/contract/exec.ts';
import type { FakeOperations } from './fake-operations.ts';

/** An exec in memory: its process is there from the beginning, and runs from `start` on. */
export class FakeSession implements ExecSession {
  readonly process: FakeProcess;
  readonly request: ExecRequest;
  readonly operation;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly #operations: FakeOperations;
  starts = 0;

  constructor(operations: FakeOperations, name: string, request: ExecRequest) {
    this.#operations = operations;
    this.request = request;
    this.process = new FakeProcess(request);
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
