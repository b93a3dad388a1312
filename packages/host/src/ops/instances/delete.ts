import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import { lifecycle } from '../lifecycle.ts';
import type { Runtime } from '../runtime.ts';
import { forgetRun } from './forget.ts';

/**
 * Deletes an instance that is stopped, or that is not ours to stop: that one is forgotten, its processes go on.
 * The caller holds its queue. @throws is-running, protected
 */
export async function deleteInstance(context: Context, id: number): Promise<void> {
  const { model, running, reboots, unsettled } = context;
  const instance = model.current(id);
  const run = running.get(id);
  if (run?.runtime.owns) throw hostError('is-running');
  if (isTrue(model.expanded(instance).config['security.protection.delete'], false))
    throw hostError('protected');
  const deleted = lifecycle('instance-deleted', 'instances', instance.name);
  model.commit([{ kind: 'delete-instance', id }], [deleted]);
  reboots.forget(id);
  unsettled.forget(id);
  if (run) forgetRun(context, run, 'instance deleted');
  await removeInstance(context, context.runtimeOf(instance.config), id);
}

/** Removes the files of an instance that is no longer in the store, and the root that only it needed. */
export async function removeInstance({ roots, model }: Context, runtime: Runtime, id: number): Promise<void> {
  await runtime.remove(id);
  if (runtime.owns) await roots.sweep(model.state.images.keys(), model.state.instances.values());
}
