import type { Change } from '../core/entities.ts';
import type { SharedChange } from '../core/shared.ts';
import type { MemberFleet } from './member.ts';
import { chunksOf, takenBy } from './uploads.ts';

/**
 * Takes the records of this member out of the fleet.
 * @returns the changes of the local store that make it a single host
 */
export async function leave(fleet: MemberFleet): Promise<readonly Change[]> {
  const { own, record } = fleet;
  fleet.isLeaving = true;
  await fleet.commit([{ kind: 'put-member', member: { ...record, state: 'leaving' } }]);
  const gone = takenBy(fleet.ownNames(), fleet.heldBy(own), own);
  for (const chunk of chunksOf(gone)) await fleet.commit(chunk);
  await fleet.commit([{ kind: 'delete-member', name: own }]);
  return fleet.alone('');
}

/** Takes another member out of the fleet, with the records of its instances. */
export async function removeMember(fleet: MemberFleet, name: string): Promise<void> {
  const instances = [...fleet.others()].filter(({ member }) => member === name);
  const gone = takenBy(
    instances.map((each) => each.name),
    fleet.heldBy(name),
    name,
  );
  // The member comes last: an interrupted removal can be done again.
  const last: SharedChange = { kind: 'delete-member', name };
  for (const chunk of chunksOf([...gone, last])) await fleet.commit(chunk);
}
