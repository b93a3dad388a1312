import { timestamp } from '../base/clock.ts';
import { hostError } from '../core/host-errors.ts';
import { checkMemberAddress, checkMemberName, checkRemoval } from '../core/member-rules.ts';
import type { Member } from '../core/shared.ts';
import type { MembershipCases } from '../host/fleet-cases.ts';
import type { Needs } from '../instances/needs.ts';
import type { SharedStore } from '../store/shared-store.ts';
import { FORM } from './form.ts';
import { join } from './join.ts';
import { leave, removeMember } from './leave.ts';
import type { Identity } from './link/identity.ts';
import type { MemberFleet } from './member.ts';

/** The store of a fleet, for a host that wants to become a member. */
export interface OpenFleet {
  readonly store: SharedStore;
  /**
   * Gets the lease of the member, without which the store takes no changes. If another daemon has it, that one loses
   * it. Call it only when the name is known to be this host's.
   */
  readonly hold: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface MembershipParts {
  readonly context: Needs<'clock' | 'model' | 'operations' | 'random'>;
  /** Null on a single host. */
  readonly fleet: MemberFleet | null;
  /** Opens the store of the fleet; null without the settings for it. @param member its name */
  readonly open: ((member: string) => Promise<OpenFleet>) | null;
  /** Checks that this host can listen on an address. @throws member-address-invalid */
  readonly checkAddress: (address: string) => Promise<void>;
  readonly identity: () => Promise<Pick<Identity, 'fingerprint'>>;
  readonly facts: {
    readonly name: string;
    readonly address: string;
    readonly version: string;
    readonly architecture: string;
  };
  /** What operators have to know of this host and the fleet; empty if nothing. */
  readonly notice: () => string;
  /** Restarts the daemon in place when the answer to the operator is out. */
  readonly restart: () => void;
}

/** How this host becomes a member of a fleet, and how members leave it. */
export function membershipCases(parts: MembershipParts): MembershipCases {
  const { context, fleet, notice } = parts;
  const oneAtATime = new OneAtATime();
  const run = (description: string, work: (tell: (text: string) => void) => Promise<Outcome>) =>
    context.operations.run({
      description,
      work: async (handle) => {
        await oneAtATime.run(() => work((progress) => handle.report({ progress })));
        return undefined;
      },
    });
  return {
    notice: () => notice() || null,
    enable(name, address) {
      oneAtATime.check();
      if (fleet) throw hostError('already-clustered', fleet.own);
      const { facts, open } = parts;
      if (!open) throw hostError('no-shared-store');
      const wanted = { name: name ?? facts.name, address: address ?? facts.address };
      checkMemberName(wanted.name);
      checkMemberAddress(wanted.address);
      return run('Joining the fleet', (tell) => enable(parts, open, wanted, tell));
    },
    disable() {
      oneAtATime.check();
      if (!fleet) throw hostError('not-clustered');
      return run('Leaving the fleet', () =>
        paused(parts, 'fleet-leaving', async () => context.model.follow(await leave(fleet), [])),
      );
    },
    remove(name, force) {
      oneAtATime.check();
      if (!fleet) throw hostError('not-clustered');
      const member = fleet.members().find((each) => each.name === name);
      if (!member) throw hostError('member-unknown', name);
      const instances = [...fleet.others()].filter((each) => each.member === name).map((each) => each.name);
      checkRemoval(fleet.own, { name, online: member.online, instances, force });
      return run('Removing a member of the fleet', async () => {
        await removeMember(fleet, name);
        return 'goes on';
      });
    },
  };
}

/** What the daemon does after a change of the membership. */
type Outcome = 'goes on' | 'restarts';

/** Lets one change of the membership happen at a time: two would undo what the other one has prepared. */
class OneAtATime {
  #isBusy = false;

  /** @throws membership-busy */
  check(): void {
    if (this.#isBusy) throw hostError('membership-busy');
  }

  async run(work: () => Promise<Outcome>): Promise<void> {
    this.#isBusy = true;
    let outcome: Outcome = 'goes on';
    try {
      outcome = await work();
    } finally {
      this.#isBusy = outcome === 'restarts';
    }
  }
}

async function enable(
  parts: MembershipParts,
  open: NonNullable<MembershipParts['open']>,
  { name, address }: { name: string; address: string },
  tell: (text: string) => void,
): Promise<Outcome> {
  const { context, facts } = parts;
  await parts.checkAddress(address);
  const { fingerprint } = await parts.identity();
  const { version, architecture } = facts;
  const joinedAt = timestamp(context.clock);
  const member: Member = {
    name,
    address,
    fingerprint,
    version,
    architecture,
    joinedAt,
    api: FORM,
    state: 'joined',
  };
  return await paused(parts, 'fleet-joining', async () => {
    const { store, hold, stop } = await open(name);
    try {
      await join({ ...context, hold }, store, member, (done, all) => tell(`${done} of ${all} objects`));
    } finally {
      await stop();
    }
  });
}

/**
 * Does work, and restarts the daemon, and refuses all changes meanwhile: the work would not know of them. If the work
 * fails, changes are accepted again.
 */
async function paused(
  { context, restart }: MembershipParts,
  code: 'fleet-joining' | 'fleet-leaving',
  work: () => Promise<void>,
): Promise<Outcome> {
  const resume = await context.model.pause(hostError(code));
  try {
    await work();
  } catch (error) {
    resume();
    throw error;
  }
  restart();
  return 'restarts';
}
