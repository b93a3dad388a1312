import type { Change } from '../core/entities.ts';
import { isConflict } from '../core/host-errors.ts';
import type { SharedChange } from '../core/shared.ts';
import type { MemberFleet } from './member.ts';
import { chunksOf, takenBy } from './uploads.ts';

/** Tries, because a late commit of a daemon that was killed may come between two commits of this one. */
const ROUNDS_MAX = 5;

/**
 * Takes the records of this member out of the fleet. If it fails, it can be done again.
 * @returns the changes of the local store that make it a single host
 */
export async function leave(fleet: MemberFleet): Promise<readonly Change[]> {
  fleet.isLeaving = true;
  // After a leave that was interrupted, this daemon puts back what the last one took out.
  const resume = await fleet.following?.holdCorrections();
  try {
    await takeOut(fleet);
  } catch (error) {
    fleet.isLeaving = false;
    resume?.();
    throw error;
  }
  return fleet.alone('');
}

async function takeOut(fleet: MemberFleet): Promise<void> {
  const { own } = fleet;
  for (let round = 1; ; round++) {
    try {
      await fleet.commit([{ kind: 'put-member', member: { ...fleet.record, state: 'leaving' } }]);
      const gone = takenBy(fleet.recordedNames(), fleet.heldBy(own), own);
      for (const chunk of chunksOf(gone)) await fleet.commit(chunk);
      return await fleet.commit([{ kind: 'delete-member', name: own }]);
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
