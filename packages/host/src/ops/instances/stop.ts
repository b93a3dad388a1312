import { startLongTimer } from '../../base/long-timer.ts';
import { hostError } from '../../core/errors.ts';
import type { StateRequest } from '../api.ts';
import type { Context } from '../context.ts';
import type { Requestor } from '../events.ts';
import type { EndCause, Run } from '../running.ts';
import { commitEnd, settleEnd } from './ended.ts';

const MS_PER_SECOND = 1000;

/**
 * Stops an instance: asks its init first unless it is forced; with a timeout and force, asks and then forces.
 * The caller holds its queue.
 * @returns how it ended in the end: a forced stop overrules a restart
 * @throws already-stopped, not-ours, shutdown-timeout (it goes on running then)
 */
export async function stopInstance(
  context: Context,
  id: number,
  request: Pick<StateRequest, 'timeout' | 'force'>,
  by: Requestor | null,
  kind?: 'restart',
): Promise<EndCause['kind']> {
  const run = context.running.get(id);
  if (!run) return stopWaiting(context, id, { kind: kind ?? 'stopped', by });
  if (!run.runtime.owns)
    throw hostError(
      'not-ours',
      `${kind ?? 'stop'} it there, or delete it here, which leaves its processes alone`,
    );
  const asked = request.timeout !== 0 && !(request.force && request.timeout < 0);
  if (asked) run.runtime.halt(run.process.init);
  run.cause = { kind: kind ?? (asked ? 'shutdown' : 'stopped'), by };
  if (!asked) run.runtime.kill(run.process.init);
  await thaw(run);
  if (asked && !(await endsWithin(run, request.timeout))) {
    if (!request.force) return keepRunning(run);
    run.cause = { kind: kind ?? 'stopped', by };
    run.runtime.kill(run.process.init);
  }
  const cause = run.cause as EndCause;
  await settleEnd(context, run, cause);
  return cause.kind;
}

/** An instance that has rebooted too often to be started at once is not started any more. */
async function stopWaiting(context: Context, id: number, cause: EndCause): Promise<EndCause['kind']> {
  if (!context.reboots.take(id)) throw hostError('already-stopped');
  await commitEnd(context, id, cause, cause.kind === 'restart');
  return cause.kind;
}

/** Ends a run at once while another stop waits for it to end politely; that one then settles it. */
export function forceRun(context: Context, id: number): boolean {
  const run = context.running.get(id);
  if (!run?.cause) return false;
  run.cause = { ...run.cause, kind: 'stopped' };
  run.runtime.kill(run.process.init);
  return true;
}

/** Frozen processes notice a signal, even a deadly one, when they run again. */
async function thaw(run: Run): Promise<void> {
  if (!run.frozen) return;
  run.frozen = false;
  try {
    await run.runtime.setFrozen(run.instanceId, false);
  } catch (error) {
    // Its end may have come first.
    if (run.process.init.isAlive()) throw error;
  }
}

/**
 * Ends a run at once although other work holds its queue: that work may be waiting for the instance itself, which
 * can make a mount of its own never answer. Who calls this settles the end when its turn comes.
 */
export function killRun(context: Context, id: number, by: Requestor | null): Run | null {
  const run = context.running.get(id);
  if (!run?.runtime.owns || run.cause || run.frozen) return null;
  run.cause = { kind: 'stopped', by };
  run.runtime.kill(run.process.init);
  return run;
}

function keepRunning(run: Run): never {
  run.cause = null;
  throw hostError('shutdown-timeout', 'the instance did not shut down in time');
}

async function endsWithin(run: Run, seconds: number): Promise<boolean> {
  if (seconds < 0) {
    await run.process.ended;
    return true;
  }
  const over = Promise.withResolvers<false>();
  const end = startLongTimer(seconds * MS_PER_SECOND, () => over.resolve(false));
  const ended = await Promise.race([run.process.ended.then(() => true), over.promise]);
  end();
  return ended;
}
