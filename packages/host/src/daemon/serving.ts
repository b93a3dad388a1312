import { within } from '../base/within.ts';
import type { GuestServer } from '../guest/server.ts';
import type { HostServer } from '../host/server.ts';
import type { Needs, RunNeeds } from '../instances/needs.ts';
import type { Exit } from '../restart/exit.ts';
import type { Inherited } from '../restart/inherited.ts';
import { autostart, finishRestarts } from '../startup/autostart.ts';
import type { Later } from '../startup/later.ts';
import { guardSocket } from './socket-guard.ts';
import type { StatePaths } from './state-paths.ts';

/** The parts that {@link serve} needs. */
export interface ServingParts {
  readonly context: RunNeeds & Needs<'operations' | 'recognition'>;
  readonly guests: GuestServer;
  readonly host: HostServer;
  readonly exit: Exit;
  readonly inherited: Inherited;
  readonly paths: StatePaths;
  /** Work that the last daemon has left. */
  readonly later: Later;
  /** Begins to follow the fleet; null on a single host. */
  readonly follow: (() => void) | null;
  /** Called when both sockets answer. */
  readonly onServing: () => void;
}

/** How long the start waits for instances to settle: one may be slow on purpose. */
const SETTLE_MS_MAX = 10_000;

/**
 * Opens the guest API and the host API, finishes work that the last daemon has left, and starts the instances
 * that are to run. The end does the same in reverse: it waits for operators' requests first, while guests are
 * still served.
 */
export async function serve(started: AsyncDisposableStack, parts: ServingParts): Promise<void> {
  const { context, guests, host, exit, inherited, paths, later } = parts;
  await guests.listen(inherited.guest ?? paths.guestSocket);
  started.defer(() => exit.end('guest', guests));
  started.defer(await guardSocket(paths.guestSocket, context.log));
  guests.takeOver(inherited.guestConnections);
  // Operations get the same time to end as the requests of operators.
  started.defer(async () => void (await within(exit.graceMs, context.operations.idle())));
  const settled = settleInstances(started, context, later, exit.graceMs);
  started.defer(() => context.reboots.stop());
  started.defer(() => context.unsettled.stop());
  await host.listen(inherited.host ?? paths.hostSocket);
  started.defer(() => exit.end('host', host));
  host.takeOver(inherited.hostConnections);
  parts.follow?.();
  parts.onServing();
  await within(SETTLE_MS_MAX, settled);
}

/** @returns settles when the work that the last daemon has left is done; instances start after that */
function settleInstances(
  started: AsyncDisposableStack,
  context: RunNeeds & Needs<'recognition'>,
  later: Later,
  graceMs: number,
): Promise<void> {
  const abort = new AbortController();
  const settled = later.begin();
  const start = async () => {
    await context.recognition.known();
    // Not awaited: an instance may take long to end, and the next daemon goes on with the restart.
    void finishRestarts(context);
    await autostart(context, abort.signal);
  };
  const done = Promise.all([settled, start()]);
  started.defer(async () => {
    abort.abort();
    later.stop();
    await within(graceMs, done);
  });
  return settled;
}
