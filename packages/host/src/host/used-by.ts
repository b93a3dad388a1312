import type { SharedInstance } from '../core/shared.ts';
import type { ProfileInfo } from '../profiles/profile-info.ts';
import type { FleetCases } from './fleet-cases.ts';

/** Finds the instances that use a profile, on all members. */
export type UsersOf = (info: ProfileInfo) => readonly string[];

/** Looks once at the instances of other members, however many profiles are shown. */
export function usersIn(fleet: FleetCases | null): UsersOf {
  if (fleet === null) return ({ usedBy }) => usedBy;
  const others = byProfile(fleet.others());
  return ({ profile, usedBy }) => [...usedBy, ...(others.get(profile.name) ?? [])].sort();
}

function byProfile(instances: Iterable<SharedInstance>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { name, profiles } of instances) {
    for (const profile of new Set(profiles)) {
      const users = names.get(profile);
      if (users) users.push(name);
      else names.set(profile, [name]);
    }
  }
  return names;
}
