import { join } from 'node:path';
import { bind } from '../frame/cores.ts';
import { Crowd } from '../load/crowd.ts';
import type { LoadTools } from '../load/load-tools.ts';
import type { Plan } from '../plan.ts';
import { KEY, type Peer, VALUE } from './peer.ts';
import { Portholed } from './porthole.ts';

/** Host uid of the first container's root: far from the uids of LXC's instances. */
const FIRST_UID = 400_000;
/** How many adoptions run at a time. */
const ADOPTERS = 8;
/** The user data of every instance, which cloud-init asks for. */
const USER_DATA = '#cloud-config\npackage_update: true\n';

/** A daemon with many running instances: tiny containers that it has adopted. */
export interface Population extends AsyncDisposable {
  readonly size: number;
  readonly daemon: Portholed;
  readonly crowd: Crowd;
  /** The daemon as a peer; the callers are in its first instance. */
  readonly peer: Peer;
}

/** Where it is made, and what ends that. */
interface Place {
  readonly folder: string;
  readonly tools: LoadTools;
  readonly plan: Plan;
  readonly signal: AbortSignal;
}

/** What {@link populate} is told beside the number of instances. */
interface PopulationOptions {
  /** The daemon's. */
  readonly checkout?: string;
  /** Whether its delays are watched. */
  readonly watched?: boolean;
  /** The daemon's further settings. */
  readonly flags?: readonly string[];
  /** What the names of the instances and the state directory begin with. */
  readonly prefix?: string;
}

/** Name of the instance that is the crowd's container `number`. */
export function memberName(number: number, prefix = 'member'): string {
  return `${prefix}-${number}`;
}

/** Starts a daemon and a crowd, and adopts each of its containers. */
export async function populate(
  { folder, tools, plan, signal }: Place,
  size: number,
  { checkout = plan.checkout, watched = false, flags = [], prefix }: PopulationOptions = {},
): Promise<Population> {
  await using stack = new AsyncDisposableStack();
  const daemon = new Portholed(join(folder, `${prefix ?? 'porthole'}-${size}`), checkout, flags);
  stack.defer(() => daemon.destroy());
  await daemon.start({ cores: 'all', watched });
  const crowd = stack.use(await Crowd.make(tools, daemon.guestSocket, size, FIRST_UID));
  await adoptAll(daemon, crowd, { signal, prefix });
  await bind(daemon.pid, 'server');
  const owned = stack.move();
  return {
    size,
    daemon,
    crowd,
    peer: {
      name: 'porthole',
      socket: daemon.guestSocket,
      callersOf: crowd.pids[0] as number,
      async [Symbol.asyncDispose]() {},
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function adoptAll(
  { client }: Portholed,
  crowd: Crowd,
  { signal, prefix }: { readonly signal: AbortSignal; readonly prefix: string | undefined },
): Promise<void> {
  const waiting = crowd.pids.entries();
  const adopt = async () => {
    for (const [number, pid] of waiting) {
      signal.throwIfAborted();
      const name = memberName(number, prefix);
      const config = { [KEY]: VALUE, 'user.id': name, 'cloud-init.user-data': USER_DATA };
      const source = { type: 'adopt', pid };
      await client.change('POST', '/1.0/instances', { json: { name, source, config } });
    }
  };
  await Promise.all(Array.from({ length: ADOPTERS }, adopt));
}
