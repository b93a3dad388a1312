import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { ConsoleFiles, ConsoleRequest } from '../runtimes/contract/console.ts';
import type { ExecProcess } from '../runtimes/contract/exec.ts';
import type { Init } from '../runtimes/contract/runtime.ts';
import { streamSecrets } from './exec.ts';
import type { Needs } from './needs.ts';
import type { ExecSession } from './requests.ts';

/**
 * Prepares to attach to a console; the operation ends when the client lets go of it, or the run ends.
 * @throws not-running, frozen, not-ours
 */
export function prepareConsole(
  context: Needs<'model' | 'operations' | 'running' | 'runtimeOf'>,
  instance: Instance,
  request: ConsoleRequest,
): ExecSession {
  const run = context.running.get(instance.id);
  if (!run) throw hostError('not-running');
  // A frozen instance reads and prints nothing, so its console could not even be left.
  if (run.frozen) throw hostError('frozen');
  run.runtime.checkAction('console', instance.config);
  const secrets = streamSecrets(['control', '0']);
  const attached = Promise.withResolvers<ExecProcess>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const operation = context.operations.run({
    class: 'websocket',
    description: 'Showing console',
    resources: { instances: [instance.name] },
    metadata: { fds: secrets },
    work: async () => {
      await Promise.race([attached.promise.then(({ exited }) => exited), failed.promise]);
      return undefined;
    },
  });
  return {
    operation,
    environment: {},
    secrets,
    start: () => attach(context, instance, run.handle.init, request, attached),
    fail(message) {
      const error = hostError('bad-request', message);
      attached.reject(error);
      failed.reject(error);
    },
  };
}

async function attach(
  { model, runtimeOf }: Needs<'model' | 'runtimeOf'>,
  { id, name, config }: Instance,
  init: Init,
  request: ConsoleRequest,
  attached: PromiseWithResolvers<ExecProcess>,
): Promise<ExecProcess> {
  try {
    const process = await runtimeOf(config).console(id, init, request);
    model.commit([], [lifecycle('instance-console', 'instances', name, { context: { type: 'console' } })]);
    attached.resolve(process);
    return process;
  } catch (error) {
    attached.reject(error);
    throw error;
  }
}

/** The files of an instance's console. @throws file-not-found when there are none */
export function consoleFiles(
  { model, runtimeOf }: Needs<'model' | 'runtimeOf'>,
  name: string,
  told: 'retrieved' | 'reset',
): ConsoleFiles {
  const { id, config } = model.instance(name);
  const files = runtimeOf(config).consoleFiles(id);
  if (files === null) throw hostError('file-not-found');
  model.commit([], [lifecycle(`instance-console-${told}`, 'instances', name)]);
  return files;
}
