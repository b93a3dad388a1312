import type { Change } from '../core/model.ts';
import { withoutReady } from '../core/volatile.ts';
import type { Context } from './context.ts';
import { guarded, Later } from './later.ts';
import { DEFAULT_PROFILE } from './profiles.ts';
import { recognise } from './recognise.ts';

/** After this others get a turn: signs of life are due. */
const SLICE_MS = 20;

/**
 * Brings the daemon's picture and the host into agreement after whatever ended the last daemon: finds the
 * instances that went on running, and settles those that have ended. It must be done before the guest API's socket is there, so that no caller meets a daemon that does not know it yet.
 * @returns what can only be done with the help of programs, or inside instances: it must hold nobody up
 */
export async function recover(context: Context): Promise<Later> {
  const { model, runner, log } = context;
  if (!model.state.profiles.has(DEFAULT_PROFILE.name)) {
    model.commit([{ kind: 'put-profile', profile: DEFAULT_PROFILE }]);
  }
  forgetReady(context);
  const later = new Later(runner, log);
  const additions = model.additions();
  const instances = [...model.state.instances.values()];
  let since = performance.now();
  for (const instance of instances) {
    await guarded(log, instance.id, () => recognise(context, instance, additions, later));
    if (performance.now() - since < SLICE_MS) continue;
    await new Promise(setImmediate);
    since = performance.now();
  }
  const gone = [...additions.keys()].filter((id) => !model.instanceById(id));
  if (gone.length > 0)
    model.commit(gone.map((instanceId) => ({ kind: 'drop-additions', instanceId }) as const));
  const { length } = instances;
  if (length > 0) log.info({ instances: length, running: context.running.size }, 'instances recognised');
  return later;
}

/** An instance must say anew that it is ready, as with LXD. */
function forgetReady({ model }: Context): void {
  const changes: Change[] = [...model.state.instances.values()]
    .filter((instance) => instance.config['volatile.last_state.ready'] !== undefined)
    .map((instance) => ({
      kind: 'put-instance',
      instance: { ...instance, config: withoutReady(instance.config) },
    }));
  if (changes.length > 0) model.commit(changes);
}
