import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { Heart } from '../../packages/host/src/instances/testing/heart.ts';
import { findLeftovers } from '../../packages/host/src/startup/leftovers.ts';
import type { Ledger } from '../check/journal.ts';
import type { SeenDaemon } from '../check/memory-world.ts';
import { type Rows, readRows } from '../check/rows.ts';

/** A daemon that is starting. */
export interface StartUp {
  readonly heart: Heart;
  /** Settles when all work of the start is done; never, if the daemon dies before. */
  readonly done: Promise<void>;
}

/** What could not be stored is tried again after a second. */
const RETRY_MS = 1_500;

/**
 * Kills a daemon and starts the next one on the same machine and store. It does all work of a start, in the same way as
 * `daemon/daemon.ts`.
 * @param watch gets the daemon before it does anything
 */
export async function startNext(before: Heart, watch: (heart: Heart) => void): Promise<StartUp> {
  before.life.end();
  before.stop();
  const made = Promise.withResolvers<Heart>();
  const leftovers = Promise.withResolvers<(signal: AbortSignal) => Promise<void>>();
  const prepare = async (heart: Heart) => {
    watch(heart);
    made.resolve(heart);
    leftovers.resolve(await leftoversOf(heart));
  };
  const begun = Heart.begin(before.world, null, prepare);
  const done = begun.then(async (heart) => {
    const remove = await leftovers.promise;
    await Promise.all([remove(new AbortController().signal), heart.settle()]);
  });
  done.catch(() => {});
  return { heart: await made.promise, done };
}

/** The folders of the machine are names in memory; the daemon reads a folder of the disk. */
async function leftoversOf(heart: Heart): Promise<(signal: AbortSignal) => Promise<void>> {
  const folder = mkdtempSync('/var/tmp/porthole-faults-');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // The calls of a daemon that dies here never come back.
  void heart.life.ended.then(remove);
  try {
    for (const id of heart.machine.folders) mkdirSync(join(folder, String(id)));
    const { parts, images, store } = heart;
    return await findLeftovers(parts, images, folder, { settled: true, store });
  } finally {
    remove();
  }
}

/** Waits until a daemon has nothing more to do, also nothing that it tries again later. */
export async function atRest(heart: Heart): Promise<void> {
  await heart.quiet();
  heart.world.clock.pass(RETRY_MS);
  mock.timers.tick(RETRY_MS);
  await heart.quiet();
}

/** Writes all events that a daemon publishes into a ledger. */
export function follow(heart: Heart, ledger: Ledger): void {
  const { hub } = heart.parts;
  const [host, guest] = [hub.publishHost.bind(hub), hub.publishGuest.bind(hub)];
  hub.publishHost = (event) => {
    if (event.type === 'lifecycle') {
      const { sequence, type } = event;
      ledger.heard.push({ sequence, type, instanceId: null, metadata: { ...event.metadata } });
    }
    host(event);
  };
  hub.publishGuest = (instanceId, event) => {
    const { sequence, type, metadata } = event;
    ledger.heard.push({ sequence, type, instanceId, metadata });
    guest(instanceId, event);
  };
}

/** What the store of a daemon holds. */
export function rowsOf(heart: Heart): Rows {
  return readRows(heart.world.database);
}

/** What a daemon shows. */
export function shownBy(heart: Heart): SeenDaemon {
  return {
    known: [...heart.identity.known.keys()],
    statuses: Object.fromEntries(
      heart.host.instances.list().map(({ instance, status }) => [instance.name, status]),
    ),
    view: (id) => heart.model.view(id) ?? null,
  };
}
