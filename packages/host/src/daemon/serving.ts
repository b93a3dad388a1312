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

/** What is needed to serve. */
export interface ServingParts {
  readonly context: RunNeeds & Needs<'operations' | 'recognition'>;
  readonly guests: GuestServer;
  readonly host: HostServer;
  readonly exit: Exit;
  readonly inherited: Inherited;
  readonly paths: StatePaths;
  /** What the last daemon has left to do. */
  readonly later: Later;
  /** Told when both sockets answer. */
  readonly onServing: () => void;
}

/** An instance that is slow to settle, perhaps by its own doing, does not hold the start up for longer. */
const SETTLE_MS_MAX = 10_000;

/**
 * Opens the guest API and the host API, settles what is left of the last daemon, and starts the instances that are to
 * run. At the end the same in reverse: operators are waited for first, while guests are still served.
 */
export async function serve(started: AsyncDisposableStack, parts: ServingParts): Promise<void> {
  const { context, guests, host, exit, inherited, paths, later } = parts;
  await guests.listen(inherited.guest ?? paths.guestSocket);
  started.defer(() => exit.end('guest', guests));
  started.defer(await guardSocket(paths.guestSocket, context.log));
  guests.takeOver(inherited.guestConnections);
  // What operators have begun gets the same time to end as their requests.
  started.defer(async () => void (await within(exit.graceMs, context.operations.idle())));
  const settled = settleInstances(started, context, later, exit.graceMs);
  started.defer(() => context.reboots.stop());
  started.defer(() => context.unsettled.stop());
  await host.listen(inherited.host ?? paths.hostSocket);
  started.defer(() => exit.end('host', host));
  host.takeOver(inherited.hostConnections);
  parts.onServing();
  await within(SETTLE_MS_MAX, settled);
}

/** @returns when what the last daemon has left is done; instances start after that */
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
    // An instance takes its time to end, and the next daemon goes on again.
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
