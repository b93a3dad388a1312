import { closeSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { createLog, type Log } from '../base/log.ts';
import type { DaemonConfig } from '../config/config.ts';
import {
  adoptionSettings,
  guestLimits,
  imageLimits,
  journalLimits,
  runtimeSettings,
} from '../config/daemon-limits.ts';
import type { Settings } from '../config/settings.ts';
import type { Machines } from '../containers/machines/machines.ts';
import { systemRandom } from '../core/random.ts';
import { GuestServer } from '../guest/server.ts';
import { HostServer } from '../host/server.ts';
import { ImageDirectory } from '../images/image-directory.ts';
import type { Parts } from '../instances/needs.ts';
import { Reboots } from '../instances/reboots.ts';
import { Recognition } from '../instances/recognition.ts';
import { Roots } from '../instances/roots.ts';
import { Runs } from '../instances/runs.ts';
import { Unsettled } from '../instances/unsettled.ts';
import { registerRuns, tellPatience, tellStarts } from '../lane/identity.ts';
import { EventHub } from '../model/hub.ts';
import { KeyedQueue } from '../model/keyed-queue.ts';
import { Model } from '../model/model.ts';
import { Operations } from '../model/operations.ts';
import { ExitWatch } from '../native/exit-watch.ts';
import { keepDescriptors } from '../native/inherited.ts';
import { reapLeftChildren } from '../native/left-children.ts';
import { Callers } from '../peer/callers.ts';
import { identify } from '../peer/identify.ts';
import { detectKernel } from '../peer/kernel.ts';
import { Registry } from '../peer/registry.ts';
import { Exit } from '../restart/exit.ts';
import type { Inherited } from '../restart/inherited.ts';
import { type OpenRuntimes, openRuntimes } from '../runtimes/open.ts';
import { findLeftovers } from '../startup/leftovers.ts';
import { recover } from '../startup/startup.ts';
import { openStore } from '../store/sqlite/open-store.ts';
import type { Store } from '../store/sqlite/store.ts';
import { beginBackups, openBackups, openRecords } from './backup-cases.ts';
import { openFastLane } from './fast-lane.ts';
import { guestCases } from './guest-backend.ts';
import { takeHooks } from './hook-backend.ts';
import { hostBackend, recognisedIn } from './host-backend.ts';
import { prepareInotify } from './inotify.ts';
import { lockDirectory } from './lock-directory.ts';
import { openMember } from './member.ts';
import { beMember, memberFleet, membershipOf } from './member-cases.ts';
import { prepareOpenFiles } from './open-files.ts';
import { enterOwnCgroup } from './own-cgroup.ts';
import { serverFacts } from './server-facts.ts';
import { serve } from './serving.ts';
import { memoryOfProcess, SpareMemory } from './spare-memory.ts';
import { prepareStateDir, type StatePaths, whyUnwritable } from './state-paths.ts';
import { stormWatch } from './storms.ts';

const MS_PER_SECOND = 1000;
const JOURNAL_TRIM_MS = 60_000;
/** The running daemon. */
export interface Daemon {
  readonly log: Log;
  /** Why another daemon could not take over its state directory; empty when it could. */
  whyUnwritable(): Promise<string>;
  /** Ends the daemon: running requests end first, instances go on running. */
  stop(): Promise<void>;
  /**
   * Ends it in the same way, but leaves the sockets, with waiting connections, to the daemon that takes over.
   */
  endForTakeOver(): Promise<Inherited>;
}

/**
 * Starts the daemon: builds every room, starts them in order, and undoes that in reverse at `stop`, or when a
 * later part cannot be started.
 * @param inherited descriptors that the daemon before it, or a service manager, has left open for it
 * @param onServing called when both sockets answer; some runs may not be recognised yet then
 * @param open opens the runtimes
 * @throws CodedError when another daemon has the state directory, or a part of the host is missing
 */
export async function startDaemon(
  config: DaemonConfig,
  inherited: Inherited,
  onServing: () => void,
  open: OpenRuntimes = openRuntimes,
): Promise<Daemon> {
  const { stateDir, settings } = config;
  const log = createLog(settings['log-level']);
  prepareProcess(settings, log);
  await using started = new AsyncDisposableStack();
  const exit = new Exit(settings['stop-seconds'] * MS_PER_SECOND, inherited);
  const { paths, held, opened } = await openState(started, config, { exit, lock: inherited.lock, log });
  const watch = started.adopt(new ExitWatch(), stopped);
  const registry = started.adopt(new Registry(), (each) => each.clear());
  const kernel = detectKernel(settings.identification);
  const callers = new Callers((fd) => identify(kernel, registry, fd));
  const limits = guestLimits(settings);
  const storms = stormWatch(settings, log);
  const { lane, sender, status } = openFastLane({ settings, kernel, limits, log, ...storms });
  started.defer(() => Promise.all([lane?.stop(), sender?.stop()]).then(() => {}));
  started.adopt(new SpareMemory(memoryOfProcess(opened.store, lane)), stopped);
  const runtimes = started.adopt(await open({ ...paths, watch, ...runtimeSettings(settings), log }), stopped);
  storms.begin(started, runtimes.main);
  const images = new ImageDirectory(paths.images, log, imageLimits(settings));
  const hub = new EventHub(log);
  const late: { guests?: GuestServer; machines?: Machines } = {};
  const member = await openMember(started, { settings, log, local: opened.store, paths, exit });
  const records = openRecords(started, paths.records, log);
  const model = new Model({
    ...{ store: opened.store, hub, clock: systemClock, location: settings['server-name'], log },
    ...(lane ? { views: lane } : {}),
    ...(member ? { shared: member.shared } : {}),
    committed: (changes) => records.committed(changes),
  });
  const context: Parts = {
    model,
    hub,
    journal: opened.store,
    operations: new Operations(hub, systemClock, log),
    queue: new KeyedQueue(),
    runtimeOf: (config) => runtimes.of(config),
    adopter: runtimes.adopter,
    running: new Runs(tellStarts(callers, lane)),
    recognition: new Recognition(),
    reboots: new Reboots(),
    unsettled: new Unsettled(log),
    roots: new Roots(paths.roots, images),
    identity: registerRuns(registry, callers, lane, (id) => model.view(id)),
    // The guest API and the use cases need each other: the socket of the guest API is opened last.
    guests: { closeInstance: (id, reason) => late.guests?.closeInstance(id, reason) ?? 0 },
    random: systemRandom,
    clock: systemClock,
    log,
  };
  const remove = await findLeftovers(context, images, paths.instances, opened);
  const later = await recover(context);
  const facts = serverFacts({
    ...{ stateDir, settings, runtime: runtimes.main, kernel },
    ...{ fastLane: status, lxcfs: () => runtimes.lxcfs(), machines: () => late.machines?.setUp ?? [] },
  });
  const identified = (fd: number) => callers.identify(fd);
  const guestBackend = guestCases(context, identified, images, member !== null);
  const guests = new GuestServer(guestBackend, { log, limits, frontEnd: lane, sender });
  const backups = openBackups(config, paths.database, opened, log);
  const fleet = member && memberFleet(context, member, images);
  const membership = membershipOf(context, { fleet, settings, facts, local: opened.store, paths });
  const backend = hostBackend(context, images, facts, backups, fleet, membership);
  const host = new HostServer(backend, { log, recognised: recognisedIn(context) });
  late.guests = guests;
  started.defer(inBackground(remove));
  late.machines = await takeHooks(started, context, backend.instances, {
    ...{ paths, exit, patient: tellPatience(callers, lane) },
    ...adoptionSettings(settings),
  });
  const follow = member && fleet ? beMember(started, { context, member, fleet, host, images }) : null;
  await serve(started, { context, guests, host, exit, inherited, paths, later, follow, onServing });
  started.defer(beginBackups(backups, records, context));
  const runtime = `${runtimes.main.driver} ${await runtimes.main.driverVersion()}`;
  log.info({ stateDir, identification: kernel.name, fastLane: status(), runtime }, 'daemon started');
  return running(started.move(), { exit, held, paths, log });
}

const stopped = (part: { stop(): void }) => part.stop();

/** Takes the state directory, and opens its store. */
async function openState(
  started: AsyncDisposableStack,
  { stateDir, settings }: DaemonConfig,
  { exit, lock, log }: { exit: Exit; lock: Inherited['lock']; log: Log },
) {
  const paths = await prepareStateDir(stateDir);
  const held = await lockDirectory(paths.lock, lock);
  started.defer(() => (exit.isTakenOver ? undefined : closeSync(held)));
  const leaveCgroup = await enterOwnCgroup(settings['cpu-weight']);
  started.defer(() => (exit.isTakenOver ? undefined : leaveCgroup()));
  const opened = await openStore(paths, { journal: journalLimits(settings) });
  started.defer(keepOpen(opened.store, log));
  return { paths, held, opened };
}

function prepareProcess(settings: Settings, log: Log): void {
  // Descriptors that the daemon was started with, such as a supervisor's pipe, must not reach instances.
  keepDescriptors();
  reapLeftChildren();
  prepareOpenFiles(settings['guest-connections-total'], log);
  prepareInotify(log);
}

interface Ending {
  readonly exit: Exit;
  /** Descriptor of the lock. */
  readonly held: number;
  readonly paths: StatePaths;
  readonly log: Log;
}

function running(started: AsyncDisposableStack, { exit, held, paths, log }: Ending): Daemon {
  let stopped: Promise<void> | undefined;
  return {
    log,
    whyUnwritable: () => whyUnwritable(paths),
    stop() {
      stopped ??= started.disposeAsync().then(() => log.info({}, 'daemon stopped'));
      return stopped;
    },
    async endForTakeOver() {
      exit.beginTakeOver();
      await started.disposeAsync();
      log.info({}, 'daemon handed over');
      return exit.left(held, paths);
    },
  };
}

/** Begins work that nothing waits for. @returns a function that ends it */
function inBackground(work: (signal: AbortSignal) => Promise<void>): () => void {
  const abort = new AbortController();
  void work(abort.signal);
  return () => abort.abort();
}

/** Drops old events also while no new ones come. @returns a function that ends this and closes the store */
function keepOpen(store: Store, log: Log): () => void {
  const trim = () => {
    try {
      store.trimJournal();
    } catch (error) {
      log.error({ err: error }, 'old events could not be dropped');
    }
  };
  const timer = setInterval(trim, JOURNAL_TRIM_MS);
  return () => {
    clearInterval(timer);
    store.close();
  };
}
