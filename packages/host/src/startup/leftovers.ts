import { readdir } from 'node:fs/promises';
import type { ImageDirectory } from '../images/image-directory.ts';
import type { Needs } from '../instances/needs.ts';
import type { Store } from '../store/store.ts';

/** What the store says of the files beside it. */
export interface LeftoverRules {
  /** Whether directory and database have known each other before this start. */
  readonly settled: boolean;
  readonly store: Pick<Store, 'keptFolders'>;
}

/** Folders of instances are named by their ids, which are far smaller than this. */
const FOLDER_NAME = /^[1-9]\d{0,14}$/;

/**
 * Looks for files that nobody knows; to be called before instances or images can be made.
 *
 * An id is stored before a folder has its name. So a folder with a later id than the store has ever given was made
 * when the database was another one: this one is an older copy. Such folders are kept, their ids are never given, and
 * with them all images and roots that they may stand on.
 * @returns what removes the others, in its own time
 */
export async function findLeftovers(
  context: Needs<'log' | 'model' | 'roots' | 'runtimeOf'>,
  images: ImageDirectory,
  folder: string,
  rules: LeftoverRules,
): Promise<(signal: AbortSignal) => Promise<void>> {
  const { model, roots } = context;
  const there = (await readdir(folder)).filter((name) => FOLDER_NAME.test(name)).map(Number);
  const unknown = there.filter((id) => !model.instanceById(id));
  keepLater(context, unknown);
  const kept = rules.store.keptFolders();
  if (kept.size > 0 || !rules.settled) await roots.keepPresent();
  if (!rules.settled) return async () => {};
  const known = new Set(model.state.images.keys());
  const aside = kept.size > 0 ? [] : await images.takeAside(known);
  const gone = [...kept].filter((id) => !there.includes(id));
  const steps = [
    async () => forgetFolders(context, gone),
    ...unknown.filter((id) => !kept.has(id)).map((id) => () => removeUnlessItRuns(context, id)),
    () => images.sweep(aside),
    () => roots.sweep(model.state),
  ];
  return (signal) => inTurn(context, steps, signal);
}

/** Nobody waits for it, and what one step fails with is not the others'. */
async function inTurn({ log }: Needs<'log'>, steps: readonly (() => Promise<void>)[], signal: AbortSignal) {
  for (const step of steps) {
    if (signal.aborted) return;
    try {
      await step();
    } catch (error) {
      log.error({ err: error }, 'files that nobody needs could not be removed');
    }
  }
  log.debug({}, 'leftovers removed');
}

function forgetFolders({ model }: Needs<'model'>, gone: readonly number[]): void {
  if (gone.length > 0) model.commit(gone.map((instanceId) => ({ kind: 'drop-folder', instanceId })));
}

function keepLater({ model, log }: Needs<'log' | 'model'>, unknown: readonly number[]): void {
  const later = unknown.filter((id) => id >= model.nextInstanceId());
  if (later.length === 0) return;
  model.commit(later.map((instanceId) => ({ kind: 'keep-folder', instanceId })));
  log.warn({ folders: later }, 'the database is older than folders of instances, which are kept');
}

/** Left by an instance that was being made or had been deleted; one that runs in it was never told to end. */
async function removeUnlessItRuns(
  { runtimeOf, roots, log }: Needs<'log' | 'roots' | 'runtimeOf'>,
  id: number,
): Promise<void> {
  const runtime = runtimeOf({});
  const handle = await runtime.recover({ id, config: {} });
  if (!handle) return runtime.remove(id);
  handle.release();
  await roots.keepPresent();
  log.warn({ folder: id }, 'an instance that is not in the database runs, its files are kept');
}
