import type { SharedChange } from '../core/shared.ts';
import type { SharedCommit, SharedState } from '../store/shared-store.ts';
import { deletionOf } from './difference.ts';

/** One change that undoes a part of what a host has brought into a fleet, and what no other change may use by then. */
export type Undo = Pick<SharedCommit, 'unused'> & { readonly change: SharedChange };

/**
 * The changes that undo what a host has brought into a fleet. Objects that other members use by now, or whose files they
 * have, stay.
 * @param fleet as it is now
 * @param member the name of the host
 */
export function undoing(brought: readonly SharedChange[], fleet: SharedState, member: string): Undo[] {
  const users = [...fleet.instances.values()].filter((each) => each.member !== member);
  const used = new Set(users.flatMap(({ profiles }) => profiles));
  const brings = new Set(brought.flatMap((change) => (change.kind === 'put-alias' ? change.alias.name : [])));
  const targets = new Set(
    [...fleet.aliases.values()].filter(({ name }) => !brings.has(name)).map(({ target }) => target),
  );
  const isHeld = (fingerprint: string) =>
    [...(fleet.holders.get(fingerprint) ?? [])].some((each) => each !== member);
  const puts = brought.filter(({ kind }) => kind.startsWith('put-'));
  // What is used goes after its users.
  return puts
    .reverse()
    .map(deletionOf)
    .flatMap((change): Undo[] => {
      if (change.kind === 'delete-profile')
        return used.has(change.name) ? [] : [{ change, unused: [{ kind: 'profile', name: change.name }] }];
      if (change.kind !== 'delete-image') return [{ change, unused: [] }];
      const { fingerprint } = change;
      if (targets.has(fingerprint) || isHeld(fingerprint)) return [];
      return [{ change, unused: [{ kind: 'image', name: fingerprint }] }];
    });
}
