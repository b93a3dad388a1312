import { isTrue } from '../../core/booleans.ts';
import { hostError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import { lifecycle } from '../lifecycle.ts';

/** Deletes a stopped instance. The caller holds its queue. @throws is-running, protected */
export async function deleteInstance(context: Context, id: number): Promise<void> {
  const { model, running } = context;
  const instance = model.current(id);
  if (running.has(id)) throw hostError('is-running');
  if (isTrue(model.expanded(instance).config['security.protection.delete'], false))
    throw hostError('protected');
  const deleted = lifecycle('instance-deleted', 'instances', instance.name);
  model.commit([{ kind: 'delete-instance', id }], [deleted]);
  await removeInstance(context, id);
}

/** Removes the files of an instance that is no longer in the store, and the root that only it needed. */
export async function removeInstance({ runtime, roots, model }: Context, id: number): Promise<void> {
  await runtime.remove(id);
  await roots.sweep(model.state.images.keys(), model.state.instances.values());
}
