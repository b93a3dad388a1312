import { messageOf } from '../base/coded-error.ts';
import type { Change } from '../core/entities.ts';
import { withoutReady } from '../core/volatile.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import { DEFAULT_PROFILE } from '../profiles/profiles.ts';
import { guarded, Later } from './later.ts';
import { recognise } from './recognise.ts';

/** After this time, other work of the event loop gets its turn, such as the signs of life that are due. */
const SLICE_MS = 20;

/**
 * Brings store and host into agreement at the daemon's start: recognises the runs that have gone on, and
 * stores the ends of the others. Must be done before the guest API's socket exists, so that no caller meets a
 * daemon that does not know its instance yet.
 * @returns the work that needs other programs or is done inside instances: it must not delay the start
 */
export async function recover(context: RunNeeds & Needs<'recognition'>): Promise<Later> {
  const { model, queue, log } = context;
  if (!model.state.profiles.has(DEFAULT_PROFILE.name)) {
    model.commit([{ kind: 'put-profile', profile: DEFAULT_PROFILE }]);
  }
  forgetReady(context);
  const later = new Later(queue, log);
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
  commitIfPossible(
    context,
    gone.map((instanceId) => ({ kind: 'drop-additions', instanceId })),
  );
  const { length } = instances;
  if (length > 0) log.info({ instances: length, running: context.running.size }, 'instances recognised');
  return later;
}

/** Changes in one commit: as many as fit into the reserve of a full disk. */
const CHANGES_AT_ONCE = 50;

/** Marks all instances as not ready: they must report it again, as with LXD. */
function forgetReady(context: Needs<'log' | 'model'>): void {
  const changes: Change[] = [...context.model.state.instances.values()]
    .filter((instance) => instance.config['volatile.last_state.ready'] !== undefined)
    .map((instance) => ({
      kind: 'put-instance',
      instance: { ...instance, config: withoutReady(instance.config) },
    }));
  for (let at = 0; at < changes.length; at += CHANGES_AT_ONCE) {
    commitIfPossible(context, changes.slice(at, at + CHANGES_AT_ONCE));
  }
}

/** Commits changes; a failure is only logged, since the daemon can serve without them. */
function commitIfPossible({ model, log }: Needs<'log' | 'model'>, changes: readonly Change[]): void {
  try {
    if (changes.length > 0) model.commit(changes);
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'a part of the last run could not be settled at the start');
  }
}
