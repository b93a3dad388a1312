import { timestamp } from '../base/clock.ts';
import { withAdopted } from '../core/adopted.ts';
import { containerOf, withContainer } from '../core/container.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { afterStart } from '../core/volatile.ts';
import type { EventDraft } from '../model/event-draft.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import { forgetRun } from './forget.ts';
import type { Needs, RunNeeds } from './needs.ts';
import type { Adoption } from './requests.ts';
import { beginRun } from './start.ts';

/**
 * Adopts a process of another runtime as the init of an instance. The run begins synchronously; on a single host it is stored in the same turn.
 * If it throws, nothing has changed.
 * @param instance new, or stopped
 * @param events events of its creation, which come first
 * @throws bad-request if there is no such process, runtime-failed if it cannot be identified
 */
export async function adoptProcess(
  context: RunNeeds & Needs<'adopter'>,
  instance: Instance,
  { pid, init, container }: Adoption,
  by: Requestor | null,
  events: readonly EventDraft[] = [],
): Promise<void> {
  const { model, adopter, clock } = context;
  const adopted = withAdopted(instance.config, init ?? adopter.nameOf(pid));
  const named = { ...instance, config: withContainer(adopted, container ?? containerOf(instance.config)) };
  const { config, devices } = model.expanded(named);
  const { id, name } = named;
  const handle = await adopter.start({
    id,
    name,
    config,
    devices,
    lower: '',
    devlxd: true,
    namesHost: false,
  });
  const run = beginRun(context, named, handle);
  const started = { ...named, config: afterStart(named.config, {}), lastStartedAt: timestamp(clock) };
  try {
    const event = lifecycle('instance-started', 'instances', name, { by });
    await model.change(() => ({
      changes: [{ kind: 'put-instance', instance: started }],
      events: [...events, event],
    }));
  } catch (error) {
    forgetRun(context, run, 'its adoption could not be stored');
    throw error;
  }
}

/**
 * Begins a new run of an adopted instance, which keeps its config. Must run in the instance's queue.
 * @param change changes the instance together with the new run
 */
export async function adoptAgain(
  context: RunNeeds & Needs<'adopter'>,
  id: number,
  adoption: Adoption,
  by: Requestor | null,
  change: (instance: Instance) => Instance = (instance) => instance,
): Promise<void> {
  const instance = context.model.current(id);
  if (context.running.has(id)) throw hostError('already-running');
  if (context.runtimeOf(instance.config) !== context.adopter)
    throw hostError(
      'bad-request',
      'Only an adopted instance can be started with a process of another runtime',
    );
  await adoptProcess(context, change(instance), adoption, by);
}
