import { hostError } from '../core/host-errors.ts';
import type { Member } from '../core/shared.ts';
import type { SharedState } from '../store/shared-store.ts';
import { isSame } from './difference.ts';

/** Names that the message lists before it only counts the others. */
const SHOWN_MAX = 10;

/**
 * Checks that a single host can become a member without a change of what either side has. A profile of the fleet takes
 * the place of one with the same name that no instance of the host uses.
 * @param member the host as a member
 * @throws join-refused with all that is in the way, member-name-taken
 */
export function checkJoin(own: SharedState, fleet: SharedState, member: Member): void {
  const there = fleet.members.get(member.name);
  if (there && there.fingerprint !== member.fingerprint) throw hostError('member-name-taken', member.name);
  const taken = [...own.instances.values()]
    .map(({ name }) => name)
    .filter((name) => (fleet.instances.get(name)?.member ?? member.name) !== member.name);
  const problems = [
    listed('instances with names of the fleet', taken),
    listed('profiles that differ from those of the fleet', differentProfiles(own, fleet)),
    listed('image aliases of other images than in the fleet', differentAliases(own, fleet)),
  ].filter((text) => text !== '');
  if (problems.length > 0) throw hostError('join-refused', problems.join('; '));
}

function differentProfiles(own: SharedState, fleet: SharedState): string[] {
  const used = new Set([...own.instances.values()].flatMap(({ profiles }) => profiles));
  return [...own.profiles.values()]
    .filter((profile) => {
      const other = fleet.profiles.get(profile.name);
      if (!other || !used.has(profile.name)) return false;
      return !isSame({ kind: 'put-profile', profile }, { kind: 'put-profile', profile: other });
    })
    .map(({ name }) => name);
}

function differentAliases(own: SharedState, fleet: SharedState): string[] {
  return [...own.aliases.values()]
    .filter(({ name, target }) => (fleet.aliases.get(name)?.target ?? target) !== target)
    .map(({ name }) => name);
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = [...names].sort().slice(0, SHOWN_MAX).join(', ');
  const more = names.length - SHOWN_MAX;
  return `${what}: ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
