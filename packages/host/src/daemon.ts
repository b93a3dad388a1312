import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, timestamp } from './base/clock.ts';
import { CodedError } from './base/coded-error.ts';
import { createLog, type Log } from './base/log.ts';
import type { DaemonConfig } from './config.ts';
import { systemRandom } from './core/volatile.ts';
import { guestLimits, imageLimits, journalLimits } from './daemon-limits.ts';
import { openFastLane } from './fast-lane.ts';
import { GuestServer } from './guest/server.ts';
import { HostServer } from './host/server.ts';
import { ImageDirectory } from './images/image-directory.ts';
import { registerRuns } from './lane/identity.ts';
import { ExitWatch } from './native/exit-watch.ts';
import { keepDescriptors } from './native/inherited.ts';
import { lockFile } from './native/lock.ts';
import { prepareOpenFiles } from './open-files.ts';
import type { Context } from './ops/context.ts';
import { guestCases } from './ops/guest-backend.ts';
import { hostBackend } from './ops/host-backend.ts';
import { EventHub } from './ops/hub.ts';
import { Model } from './ops/model.ts';
import { Operations } from './ops/operations.ts';
import { Roots } from './ops/roots.ts';
import { Runner } from './ops/runner.ts';
import { RunningSet } from './ops/running.ts';
import { autostart, recover } from './ops/startup.ts';
import { identify } from './peer/identify.ts';
import { detectKernel } from './peer/kernel.ts';
import { Registry } from './peer/registry.ts';
import { openRuntimes } from './runtimes/open.ts';
import { serverFacts } from './server-facts.ts';
import { Store } from './store/store.ts';

const MS_PER_SECOND = 1000;
const JOURNAL_TRIM_MS = 60_000;

/** The running daemon. */
export interface Daemon {
  /** Ends it: running requests end first, instances go on running. */
  stop(): Promise<void>;
}

/**
 * Starts the daemon: builds every room, starts them in order, and undoes that in reverse at `stop`, or when a
 * later part cannot be started.
 * @throws CodedError when another daemon has the state directory, or a part of the host is missing
 */
export async function startDaemon({ stateDir, settings }: DaemonConfig): Promise<Daemon> {
  const log = createLog(settings['log-level']);
  // What the daemon was started with, a supervisor's pipe perhaps, is no instance's business.
  keepDescriptors();
  await using started = new AsyncDisposableStack();
  const paths = prepareStateDir(stateDir);
  started.defer(lock(paths.lock));
  prepareOpenFiles(settings['guest-connections-total'], log);
  const store = started.adopt(new Store(paths.database, journalLimits(settings)), (each) => each.close());
  started.defer(trimRegularly(store, log));
  const watch = started.adopt(new ExitWatch(), (each) => each.stop());
  const registry = started.adopt(new Registry(), (each) => each.clear());
  const kernel = detectKernel(settings.identification);
  const limits = guestLimits(settings);
  const { lane, sender, status } = openFastLane({ wanted: settings['fast-lane'], kernel, limits, log });
  started.defer(() => Promise.all([lane?.stop(), sender?.stop()]).then(() => {}));
  const runtimes = await openRuntimes({ ...paths, watch });
  const images = new ImageDirectory(paths.images, log, imageLimits(settings));
  const hub = new EventHub(log);
  const late: { guests?: GuestServer } = {};
  const model = new Model({
    ...{ store, hub, clock: systemClock, location: settings['server-name'], log },
    viewsChanged: (views) => lane?.changed(views),
  });
  const context: Context = {
    model,
    hub,
    journal: store,
    operations: new Operations(hub, systemClock, log),
    runner: new Runner(),
    runtimeOf: (config) => runtimes.of(config),
    adopter: runtimes.adopter,
    running: new RunningSet(),
    roots: new Roots(paths.roots, images),
    identity: registerRuns(registry, lane, (id) => model.view(id)),
    // The guest API needs the use cases and they need it: the socket is opened last.
    guests: { closeInstance: (id, reason) => late.guests?.closeInstance(id, reason) ?? 0 },
    random: systemRandom,
    clock: systemClock,
    log,
  };
  await recover(context, images, paths.instances);
  const facts = serverFacts({ stateDir, settings, runtime: runtimes.main, kernel, fastLane: status });
  const guestBackend = guestCases(
    context,
    (fd) => identify(kernel, registry, fd),
    (image) => images.paths(image),
  );
  const guests = new GuestServer(guestBackend, { log, limits, front: lane, sender });
  const host = new HostServer(hostBackend(context, images, facts), { log });
  late.guests = guests;
  const graceMs = settings['stop-seconds'] * MS_PER_SECOND;
  await guests.listen(join(paths.devlxd, 'sock'));
  started.defer(() => guests.stop(graceMs));
  started.defer(() => finishOperations(context.operations, graceMs));
  const starting = startInstances(context, graceMs);
  started.defer(() => starting.stop());
  await host.listen(paths.hostSocket);
  started.defer(() => host.stop(graceMs));
  log.info(
    {
      ...{ stateDir, identification: kernel.name, fastLane: status() },
      runtime: `lxc ${runtimes.main.driverVersion}`,
    },
    'daemon started',
  );
  return running(started.move(), log);
}

function running(started: AsyncDisposableStack, log: Log): Daemon {
  let stopped: Promise<void> | undefined;
  return {
    stop() {
      stopped ??= started.disposeAsync().then(() => log.info({}, 'daemon stopped'));
      return stopped;
    },
  };
}

/** Events grow old also while nothing happens. @returns what ends it */
function trimRegularly(store: Store, log: Log): () => void {
  const trim = () => {
    try {
      store.trimJournal(timestamp(systemClock));
    } catch (error) {
      log.error({ err: error }, 'old events could not be dropped');
    }
  };
  const timer = setInterval(trim, JOURNAL_TRIM_MS);
  return () => clearInterval(timer);
}

/** What operators have begun gets the same time to end as their requests. */
function finishOperations(operations: Operations, graceMs: number): Promise<void> {
  return within(graceMs, operations.idle());
}

/** Waits for work, but not for ever. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  await Promise.race([work, over.promise]);
  clearTimeout(timer);
}

function startInstances(context: Context, graceMs: number): { stop(): Promise<void> } {
  const abort = new AbortController();
  const done = autostart(context, abort.signal);
  return {
    stop() {
      abort.abort();
      return within(graceMs, done);
    },
  };
}

/** Where everything is, below the state directory. */
interface StatePaths {
  readonly lock: string;
  readonly database: string;
  readonly images: string;
  readonly roots: string;
  readonly instances: string;
  readonly devlxd: string;
  readonly hostSocket: string;
}

/** Every folder on the way to a root filesystem must be searchable by the instance's root, and is not readable. */
const SEARCHABLE = 0o711;
const PRIVATE = 0o700;
const READABLE = 0o755;

function prepareStateDir(stateDir: string): StatePaths {
  const at = (name: string) => join(stateDir, name);
  const folders = { instances: SEARCHABLE, rootfs: SEARCHABLE, images: PRIVATE, devlxd: READABLE };
  mkdirSync(stateDir, { recursive: true, mode: SEARCHABLE });
  chmodSync(stateDir, SEARCHABLE);
  for (const [name, mode] of Object.entries(folders)) {
    mkdirSync(at(name), { recursive: true });
    chmodSync(at(name), mode);
  }
  return {
    lock: at('lock'),
    database: at('porthole.db'),
    images: at('images'),
    roots: at('rootfs'),
    instances: at('instances'),
    devlxd: at('devlxd'),
    hostSocket: at('unix.socket'),
  };
}

function lock(path: string): () => void {
  const held = lockFile(path);
  if ('unlock' in held) return held.unlock;
  throw new CodedError(
    'locked',
    409,
    `Another Porthole daemon (pid ${held.heldBy}) has this state directory: ${path}`,
  );
}
