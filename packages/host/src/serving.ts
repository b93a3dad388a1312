import type { Exit } from './exit.ts';
import type { GuestServer } from './guest/server.ts';
import type { HostServer } from './host/server.ts';
import type { Inherited } from './inherited.ts';
import type { Context } from './ops/context.ts';
import { autostart } from './ops/startup.ts';
import { guardSocket } from './socket-guard.ts';
import type { StatePaths } from './state-paths.ts';

/** What is needed to serve. */
export interface ServingParts {
  readonly context: Context;
  readonly guests: GuestServer;
  readonly host: HostServer;
  readonly exit: Exit;
  readonly inherited: Inherited;
  readonly paths: StatePaths;
}

/**
 * Opens the guest API, starts the instances that shall run, and opens the host API. At the end the same in reverse:
 * operators are waited for first, while guests are still served.
 */
export async function serve(started: AsyncDisposableStack, parts: ServingParts): Promise<void> {
  const { context, guests, host, exit, inherited, paths } = parts;
  await guests.listen(inherited.guest ?? paths.guestSocket);
  started.defer(() => exit.end('guest', guests));
  started.defer(await guardSocket(paths.guestSocket, context.log));
  guests.takeOver(inherited.guestConnections);
  // What operators have begun gets the same time to end as their requests.
  started.defer(() => within(exit.graceMs, context.operations.idle()));
  const starting = startInstances(context, exit.graceMs);
  started.defer(() => starting.stop());
  started.defer(() => context.reboots.stop());
  await host.listen(inherited.host ?? paths.hostSocket);
  started.defer(() => exit.end('host', host));
  host.takeOver(inherited.hostConnections);
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

/** Waits for work, but not for ever. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  await Promise.race([work, over.promise]);
  clearTimeout(timer);
}
