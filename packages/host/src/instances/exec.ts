import { randomBytes } from 'node:crypto';
import { CodedError } from '../base/coded-error.ts';
import { isTrue } from '../core/booleans.ts';
import type { Config, Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { IDS_PER_INSTANCE } from '../core/host-ids.ts';
import { lifecycle } from '../model/lifecycle.ts';
import { OperationError } from '../model/operations.ts';
import type { ExecProcess, ExecRequest } from '../runtimes/contract/exec.ts';
import type { Needs } from './needs.ts';
import type { ExecSession } from './requests.ts';

const SECRET_BYTES = 32;
const FAILED_CODES: Readonly<Record<string, number>> = {
  'command-not-found': 127,
  'command-not-executable': 126,
};

/** Prepares an exec, whose operation waits for `start`. @throws not-running, frozen, not-ours, bad-request, id-outside */
export function prepareExec(
  context: Needs<'model' | 'operations' | 'running' | 'runtimeOf'>,
  instance: Instance,
  request: ExecRequest,
): ExecSession {
  const run = context.running.get(instance.id);
  if (!run) throw hostError('not-running');
  if (run.frozen) throw hostError('frozen');
  run.runtime.checkAction('exec', instance.config);
  if (request.command.length === 0) throw hostError('bad-request', 'No command given');
  checkIds(run.config, request);
  const environment = environmentOf(context.model.expanded(instance).config, request);
  // A terminal without a client would hang up at once, and that ends the process.
  const interactive = request.interactive && request.waitForWebsocket;
  const streams = interactive ? ['control', '0'] : ['control', '0', '1', '2'];
  const secrets = request.waitForWebsocket ? streamSecrets(streams) : {};
  const started = Promise.withResolvers<ExecProcess>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const operation = context.operations.run({
    class: request.waitForWebsocket ? 'websocket' : 'task',
    description: 'Executing command',
    resources: { instances: [instance.name] },
    ...(request.waitForWebsocket
      ? { metadata: { command: request.command, environment, interactive, fds: secrets } }
      : {}),
    work: async () => {
      const process = await started.promise;
      return { return: await Promise.race([exitCode(process), failed.promise]) };
    },
  });
  return {
    operation,
    environment,
    secrets,
    start: () => startProcess(context, instance, { ...request, interactive, environment }, started),
    fail(message) {
      const error = hostError('bad-request', message);
      started.reject(error);
      failed.reject(error);
    },
  };
}

/** A user namespace has only the ids of its range: the kernel would refuse any other. */
function checkIds(config: Config, { user, group }: ExecRequest): void {
  if (isTrue(config['security.privileged'], false)) return;
  for (const [what, id] of [['user', user] as const, ['group', group] as const])
    if (id >= IDS_PER_INSTANCE) throw hostError('id-outside', what, String(id), String(IDS_PER_INSTANCE - 1));
}

async function startProcess(
  context: Needs<'model' | 'runtimeOf'>,
  instance: Instance,
  request: ExecRequest,
  started: PromiseWithResolvers<ExecProcess>,
): Promise<ExecProcess> {
  try {
    const cwd = request.cwd || request.environment['HOME'] || '/';
    const process = await context.runtimeOf(instance.config).exec(instance.id, { ...request, cwd });
    const command = [...request.command];
    context.model.commit(
      [],
      [lifecycle('instance-exec', 'instances', instance.name, { context: { command } })],
    );
    started.resolve(process);
    // The operation reports how the process ended; without it, the rejection must not count as unhandled.
    process.exited.catch(() => {});
    return process;
  } catch (error) {
    started.reject(error);
    throw error;
  }
}

async function exitCode(process: ExecProcess): Promise<number> {
  try {
    return await process.exited;
  } catch (error) {
    const code = error instanceof CodedError ? FAILED_CODES[error.code] : undefined;
    if (code === undefined) throw error;
    throw new OperationError(error as CodedError, { return: code });
  }
}

function environmentOf(config: Config, request: ExecRequest): Record<string, string> {
  const prefix = 'environment.';
  const own = Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value] as const);
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    ...(request.user === 0 ? { HOME: '/root', USER: 'root' } : {}),
    ...Object.fromEntries(own),
    ...request.environment,
  };
}

/** A new secret for each stream. */
export function streamSecrets(streams: readonly string[]): Record<string, string> {
  return Object.fromEntries(streams.map((stream) => [stream, randomBytes(SECRET_BYTES).toString('hex')]));
}
