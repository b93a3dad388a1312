import { readdir } from 'node:fs/promises';
import type { ImageDirectory } from '../images/image-directory.ts';
import type { Needs } from '../instances/needs.ts';
import type { Store } from '../store/sqlite/store.ts';

/** Facts of the store that decide which files are leftovers. */
export interface LeftoverRules {
  /** Whether directory and database had the same id before this start. */
  readonly settled: boolean;
  readonly store: Pick<Store, 'keptFolders' | 'keptImages'>;
}

/**
 * Folders of instances are named by their ids, which have far fewer digits than this allows. A daemon that ended may
 * have left one with a second word.
 */
const FOLDER_NAME = /^([1-9]\d{0,14})(\.removed)?$/;

/**
 * Finds leftovers; must be called before instances or images can be made.
 *
 * An id is stored before a folder is named by it. So a folder with a later id than the store has ever given
 * shows that the database is an older copy. Such folders are kept, and their ids are never given; all images
 * and roots are kept too, since these folders may need them.
 * @returns a function that removes the leftovers
 */
export async function findLeftovers(
  context: Needs<'log' | 'model' | 'roots' | 'runtimeOf'>,
  images: ImageDirectory,
  folder: string,
  rules: LeftoverRules,
): Promise<(signal: AbortSignal) => Promise<void>> {
  const { model, roots } = context;
  const names = (await readdir(folder)).flatMap((name) => FOLDER_NAME.exec(name)?.[1] ?? []);
  const there = [...new Set(names.map(Number))];
  const unknown = there.filter((id) => !model.instanceById(id));
  keepLater(context, unknown);
  const kept = rules.store.keptFolders();
  if (kept.size > 0 || !rules.settled) await roots.keepPresent();
  if (!rules.settled) return async () => {};
  const known = new Set(model.state.images.keys());
  const aside = kept.size > 0 ? [] : await images.takeAside(known, rules.store.keptImages());
  const gone = [...kept].filter((id) => !there.includes(id));
  const steps = [
    async () => forgetFolders(context, gone),
    ...unknown.filter((id) => !kept.has(id)).map((id) => () => removeUnlessItRuns(context, id)),
    () => images.sweep(aside),
    () => roots.sweep((base) => model.needsRoot(base)),
  ];
  return (signal) => inTurn(context, steps, signal);
}

/** Runs steps one after another, until the signal is aborted; a failure of one does not stop the others. */
async function inTurn({ log }: Needs<'log'>, steps: readonly (() => Promise<void>)[], signal: AbortSignal) {
  for (const step of steps) {
    if (signal.aborted) return;
    try {
      await step();
    } catch (error) {
      log.error({ err: error }, 'files that are no longer needed could not be removed');
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

/**
 * Removes the folder of an instance whose creation or deletion was cut off. If an instance runs in it, its
 * folder and all roots are kept.
 */
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
