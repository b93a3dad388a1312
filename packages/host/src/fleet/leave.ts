import { CodedError, messageOf } from '../base/coded-error.ts';
import type { Change } from '../core/entities.ts';
import { hostError, isConflict } from '../core/host-errors.ts';
import { mirrorKeyOf } from '../core/mirror.ts';
import type { SharedChange } from '../core/shared.ts';
import type { MemberFleet } from './member.ts';
import { chunksOf, takenBy } from './uploads.ts';

/** Tries, because a late commit of a daemon that was killed may come between two commits of this one. */
const ROUNDS_MAX = 5;

/**
 * Takes the records of this member out of the fleet. If it fails, the host stays a member. As soon as it can, it writes
 * the records again that it has taken out.
 * @returns the changes of the local store that make it a single host
 * @throws leave-failed; fleet-outcome-unknown if the host leaves later, or stays a member
 */
export async function leave(fleet: MemberFleet): Promise<readonly Change[]> {
  fleet.isLeaving = true;
  // After a leave that was interrupted, this daemon puts back what the last one took out.
  const resume = await fleet.following?.holdCorrections();
  const taken = new Set<string>();
  try {
    await takeOut(fleet, taken);
  } catch (error) {
    const code = error instanceof CodedError ? error.code : '';
    // Another member has removed this one meanwhile.
    if (code === 'fleet-not-member' || !fleet.isKnown) return fleet.alone('');
    fleet.isLeaving = false;
    resume?.(taken);
    throw code === 'fleet-outcome-unknown' ? error : hostError('leave-failed', messageOf(error));
  }
  return fleet.alone('');
}

/** @param taken gets the keys of the records that this changes */
async function takeOut(fleet: MemberFleet, taken: Set<string>): Promise<void> {
  const { own } = fleet;
  const commit = async (changes: readonly SharedChange[]) => {
    await fleet.commit(changes);
    for (const change of changes) taken.add(mirrorKeyOf(change));
  };
  for (let round = 1; ; round++) {
    try {
      await commit([{ kind: 'put-member', member: { ...fleet.record, state: 'leaving' } }]);
      const gone = takenBy(fleet.recordedNames(), fleet.heldBy(own), own);
      for (const chunk of chunksOf(gone)) await commit(chunk);
      return await commit([{ kind: 'delete-member', name: own }]);
    } catch (error) {
      if (!isConflict(error) || round === ROUNDS_MAX) throw error;
    }
  }
}

/** Takes another member out of the fleet, with the records of its instances. */
export async function removeMember(fleet: MemberFleet, name: string): Promise<void> {
  // The member comes last: an interrupted removal can be done again.
  const last: SharedChange = { kind: 'delete-member', name };
  for (const chunk of chunksOf([...recordsOf(fleet, name), last])) await fleet.commit(chunk);
  // It may have come back meanwhile, and have written records again. Now it can no longer commit.
  for (const chunk of chunksOf(recordsOf(fleet, name))) await fleet.commit(chunk);
}

function recordsOf(fleet: MemberFleet, name: string): SharedChange[] {
  const instances = [...fleet.recordsElsewhere()].filter(({ member }) => member === name);
  return takenBy(
    instances.map((each) => each.name),
    fleet.heldBy(name),
    name,
  );
}
