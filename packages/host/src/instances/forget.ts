import type { Needs } from './needs.ts';
import type { Run } from './runs.ts';

/**
 * Forgets a run, synchronously: its callers become unknown callers, and its connections are closed.
 * @param reason for the log
 */
export function forgetRun(
  context: Needs<'guests' | 'identity' | 'log' | 'model' | 'running'>,
  run: Run,
  reason: string,
): void {
  const { identity, running, guests, log, model } = context;
  if (!running.remove(run)) return;
  const { instanceId } = run;
  identity.unregister(instanceId);
  const connections = guests.closeInstance(instanceId, reason);
  run.handle.release();
  const instance = model.instanceById(instanceId)?.name;
  log.info({ instance, instanceId, connections, reason }, 'instance no longer served');
}
