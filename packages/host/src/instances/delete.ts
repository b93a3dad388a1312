import { CodedError } from '../base/coded-error.ts';
import { isTrue } from '../core/booleans.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { Runtime } from '../runtimes/contract/runtime.ts';
import { forgetRun } from './forget.ts';
import type { Needs } from './needs.ts';
import { baseOf, type IsNeeded } from './roots.ts';

/**
 * Deletes an instance that is stopped or adopted; the processes of an adopted one go on. Must run in the
 * instance's queue.
 * @throws is-running, protected
 */
export async function deleteInstance(
  context: Needs<
    'guests' | 'identity' | 'log' | 'model' | 'reboots' | 'roots' | 'running' | 'runtimeOf' | 'unsettled'
  >,
  id: number,
): Promise<void> {
  const { model, running, reboots, unsettled } = context;
  const instance = model.current(id);
  const run = running.get(id);
  if (run?.runtime.owns) throw hostError('is-running');
  if (isTrue(model.expanded(instance).config['security.protection.delete'], false))
    throw hostError('protected');
  const runtime = context.runtimeOf(instance.config);
  const deleted = lifecycle('instance-deleted', 'instances', instance.name);
  const commit = () =>
    model.change(() => ({ changes: [{ kind: 'delete-instance', id }], events: [deleted] }));
  await committing(commit, () => runtime.remove(id));
  reboots.forget(id);
  unsettled.forget(id);
  if (run) forgetRun(context, run, 'instance deleted');
  await removeInstance(context, runtime, instance);
}

/** If the disk is full, removes the instance's files, which go anyway, and commits again. */
async function committing(commit: () => Promise<void>, makeRoom: () => Promise<void>): Promise<void> {
  try {
    await commit();
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'store-full') throw error;
    await makeRoom();
    await commit();
  }
}

/** Removes the files of an instance that is no longer in the store, and its root if nothing else needs that. */
export async function removeInstance(
  { roots, model }: Needs<'model' | 'roots'>,
  runtime: Runtime,
  instance: Instance,
): Promise<void> {
  await runtime.remove(instance.id);
  const needsRoot: IsNeeded = (base) => model.needsRoot(base);
  if (runtime.owns && !needsRoot(baseOf(instance))) await roots.sweep(needsRoot);
}
