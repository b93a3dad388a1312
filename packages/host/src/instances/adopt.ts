import { timestamp } from '../base/clock.ts';
import { withAdopted } from '../core/adopted.ts';
import type { Instance } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';
import { afterStart } from '../core/volatile.ts';
import type { Requestor } from '../model/events.ts';
import { lifecycle } from '../model/lifecycle.ts';
import type { EventDraft } from '../model/model.ts';
import { forgetRun } from './forget.ts';
import type { Needs, RunNeeds } from './needs.ts';
import { beginRun } from './start.ts';

/**
 * Recognises a process of some other runtime as the init of an instance: its run begins, and is stored, in the
 * same turn. Nothing has happened when it throws.
 * @param instance new, or stopped
 * @param told what its creation has to tell first
 * @throws bad-request when there is no such process, runtime-failed when it cannot be told from others
 */
export async function adoptProcess(
  context: RunNeeds & Needs<'adopter'>,
  instance: Instance,
  pid: number,
  by: Requestor | null,
  told: readonly EventDraft[] = [],
): Promise<void> {
  const { model, adopter, clock } = context;
  const named = { ...instance, config: withAdopted(instance.config, adopter.nameOf(pid)) };
  const { config, devices } = model.expanded(named);
  const { id, name } = named;
  const handle = await adopter.start({ id, name, config, devices, lower: '', devlxd: true });
  const run = beginRun(context, named, handle);
  const started = { ...named, config: afterStart(named.config, {}), lastStartedAt: timestamp(clock) };
  try {
    const event = lifecycle('instance-started', 'instances', name, { by });
    model.commit([{ kind: 'put-instance', instance: started }], [...told, event]);
  } catch (error) {
    forgetRun(context, run, 'its adoption could not be stored');
    throw error;
  }
}

/** Begins a new run of an adopted instance, with all its config. The caller holds its queue. */
export async function adoptAgain(
  context: RunNeeds & Needs<'adopter'>,
  id: number,
  pid: number,
  by: Requestor | null,
): Promise<void> {
  const instance = context.model.current(id);
  if (context.running.has(id)) throw hostError('already-running');
  if (context.runtimeOf(instance.config) !== context.adopter)
    throw hostError(
      'bad-request',
      'Only an instance that was adopted can begin with a process of another runtime',
    );
  await adoptProcess(context, instance, pid, by);
}
