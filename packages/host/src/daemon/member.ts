import { randomBytes } from 'node:crypto';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';
import { etcdSettings } from '../config/etcd-settings.ts';
import type { Settings } from '../config/settings.ts';
import { hostError } from '../core/host-errors.ts';
import { openEtcd } from '../etcd/client.ts';
import { asksApplied } from '../fleet/ask.ts';
import { Beginning } from '../fleet/beginning.ts';
import { commitConfirmed } from '../fleet/confirm.ts';
import { CutOff } from '../fleet/cut-off.ts';
import { checkForm } from '../fleet/form.ts';
import { type Identity, openIdentity } from '../fleet/link/identity.ts';
import { MemberAgents } from '../fleet/link/member-agents.ts';
import type { OpenFleet } from '../fleet/membership.ts';
import { Mirror } from '../fleet/mirror.ts';
import type { SharedSide } from '../model/agreement.ts';
import type { Exit } from '../restart/exit.ts';
import { EtcdShared } from '../store/etcd/etcd-shared.ts';
import type { FenceKeeper } from '../store/etcd/fence.ts';
import { FleetKeys } from '../store/etcd/fleet-keys.ts';
import { Lease } from '../store/etcd/lease.ts';
import type { Store } from '../store/sqlite/store.ts';
import type { StatePaths } from './state-paths.ts';

/** The parts of a member that the model needs. */
export interface MemberSide {
  readonly mirror: Mirror;
  readonly store: EtcdShared;
  readonly shared: SharedSide;
  readonly agents: MemberAgents;
  readonly identity: Identity;
  readonly cutOff: CutOff;
  readonly beginning: Beginning;
}

const RUN_BYTES = 8;

/** How long changes wait for the lease after a start. It takes some milliseconds when etcd answers. */
const BEGINNING_MS = 3_000;

/** How long a host that joins waits for its lease. */
const LEASE_MS = 10_000;

/**
 * Opens what makes this host a member of a fleet. It does not wait for etcd: a member answers its instances also while it
 * is cut off.
 * @returns null on a single host
 * @throws member-needs-etcd if the settings are those of a single host, fleet-too-new for an older version
 */
export async function openMember(
  started: AsyncDisposableStack,
  parts: {
    readonly settings: Settings;
    readonly local: Store;
    readonly paths: Pick<StatePaths, 'member'>;
    readonly exit: Pick<Exit, 'isTakenOver'>;
    readonly log: Log;
  },
): Promise<MemberSide | null> {
  const { settings, local, log } = parts;
  const kept = local.fleet();
  if (!kept) return null;
  const { member } = kept.fleet;
  if (settings.store !== 'etcd') throw hostError('member-needs-etcd', member);
  const mirror = new Mirror(kept.fleet, kept.mirror);
  checkForm(mirror.members.values());
  const identity = await openIdentity(parts.paths.member);
  const cutOff = new CutOff(systemClock);
  const beginning = new Beginning(BEGINNING_MS);
  const etcd = started.adopt(openEtcd(etcdSettings(settings)), (each) => each.close());
  const keys = new FleetKeys(settings['etcd-prefix']);
  const lease = new Lease({
    etcd,
    keys,
    member,
    run: newRun(),
    log,
    changed: (isAlive) => {
      cutOff.setAlive(isAlive);
      if (isAlive) beginning.hasLease();
      // Without a lease, what this member knows of the leases of the others may be old.
      agents.recheck();
    },
  });
  // The next daemon takes the key over, so that this member stays online for the others. One that has left gives it back.
  started.defer(() => (parts.exit.isTakenOver && local.fleet() ? lease.leave() : lease.stop()));
  const store = new EtcdShared({ etcd, keys, member, keeper: lease, log });
  const peerOf = (name: string) => mirror.members.get(name);
  const hasLease = (name: string) => cutOff.since === null && mirror.alive.has(name);
  const agents = started.adopt(new MemberAgents(identity, peerOf, hasLease), (each) => each.stop());
  mirror.onChange(() => agents.recheck());
  const shared = sharedSide({ mirror, store, agents, beginning });
  return { mirror, store, shared, agents, identity, cutOff, beginning };
}

/** The fleet, as the model uses it. */
function sharedSide({
  mirror,
  store,
  agents,
  beginning,
}: Pick<MemberSide, 'agents' | 'beginning' | 'mirror' | 'store'>): SharedSide {
  const asking = { store, mirror, ask: asksApplied(agents) };
  return {
    store: {
      async commit(commit) {
        if (beginning.over) await beginning.over;
        await commitConfirmed(asking, commit);
      },
    },
    member: mirror.fleet.member,
    revision: () => mirror.fleet.revision,
    others: () => mirror.others,
    holders: (fingerprint) => mirror.holdersOf(fingerprint),
  };
}

/** Opens the fleet's store for a host that wants to become a member. */
export function opensFleet(settings: Settings, log: Log) {
  if (settings.store !== 'etcd') return null;
  return async (member: string): Promise<OpenFleet> => {
    const etcd = openEtcd(etcdSettings(settings));
    const keys = new FleetKeys(settings['etcd-prefix']);
    const run = newRun();
    let lease: Lease | undefined;
    const keeper: FenceKeeper = {
      run,
      fence: () => lease?.fence() ?? null,
      renew: async (used) => lease?.renew(used),
    };
    const stop = async () => {
      await lease?.stop();
      etcd.close();
    };
    const hold = async () => {
      const ready = Promise.withResolvers<void>();
      const changed = (isAlive: boolean) => isAlive && ready.resolve();
      // A member that lives has its name: it must not lose its lease to a host that only tries to join.
      lease = new Lease({ etcd, keys, member, run, log, changed, takesOver: false });
      if (!(await within(LEASE_MS, ready.promise)))
        throw lease.isTaken ? hostError('member-name-taken', member) : hostError('fleet-cut-off');
    };
    try {
      // Tells at once why etcd cannot be used.
      await etcd.status();
    } catch (error) {
      await stop();
      throw error;
    }
    return { store: new EtcdShared({ etcd, keys, member, keeper, log }), hold, stop };
  };
}

const newRun = () => randomBytes(RUN_BYTES).toString('hex');
