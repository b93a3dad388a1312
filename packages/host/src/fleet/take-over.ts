import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/coded-error.ts';
import type { Change } from '../core/entities.ts';
import type { SharedChange } from '../core/shared.ts';
import type { Needs } from '../instances/needs.ts';
import type { Loss, SharedStore } from '../store/shared-store.ts';
import { difference, knownPuts, putsOf } from './difference.ts';
import type { Mirror } from './mirror.ts';
import { writeAhead } from './rows-ahead.ts';
import { keptFrom, wrongAfter } from './wrong-records.ts';

export interface TakeOverParts {
  readonly context: Needs<'guests' | 'log' | 'model'>;
  readonly store: Pick<SharedStore, 'load'>;
  readonly mirror: Mirror;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Commits changes here, and applies them to running instances. */
  readonly apply: (changes: readonly SharedChange[], extra: readonly Change[]) => Promise<void>;
  /** Called when the state is taken over, with keys of records that the fleet does not have as this host has them. */
  readonly done: (wrong: readonly string[]) => void;
}

/** The time between tries to take over the state of the fleet. */
const AGAIN_MS = 1_000;

/** Tries until the state of the fleet is taken over: the history after the own revision is gone. */
export async function takeOver(parts: TakeOverParts, loss: Loss): Promise<void> {
  const { context, signal, done } = parts;
  while (!signal.aborted) {
    try {
      const wrong = await takeOverState(parts, loss);
      if (!signal.aborted) done(wrong);
      return;
    } catch (error) {
      context.log.error({ reason: messageOf(error) }, 'the state of the fleet could not be taken over');
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  }
}

/**
 * Takes over the whole state. The changes since the own revision are not known, so there are no events of them. All
 * positions of instances before now are too old, and their connections end.
 */
async function takeOverState(parts: TakeOverParts, loss: Loss): Promise<readonly string[]> {
  const { context, mirror, store, signal, apply } = parts;
  const { model, guests, log } = context;
  const { revision, mark, state } = await store.load();
  const at = { revision, ...(mark === undefined ? {} : { mark }) };
  const all = await difference(await knownPuts(model, mirror), putsOf(state));
  if (signal.aborted) return [];
  // A fleet that does not know this host decides nothing here: only that is taken over.
  const gone = all.filter((each) => each.kind === 'delete-member' && each.name === mirror.fleet.member);
  const replaced = loss === 'replaced' ? keptFrom(all, model, mirror) : { changes: all, wrong: [] };
  const isGone = gone.length > 0;
  const changes = isGone ? gone : replaced.changes;
  const ids = isGone ? [] : [...model.state.instances.keys()];
  const broken = ids.map((instanceId): Change => ({ kind: 'break-history', instanceId }));
  await writeAhead(model, mirror, changes);
  await apply(changes, [...broken, ...mirror.changesFor(at, [])]);
  mirror.apply(at, changes);
  for (const id of ids) guests.closeInstance(id, 'changes of the fleet may have been missed');
  log.warn(
    { revision, loss, changes: changes.length },
    'the history of the fleet was gone: took over its state',
  );
  return isGone ? [] : [...replaced.wrong, ...wrongAfter(changes, model, mirror.fleet.member)];
}
