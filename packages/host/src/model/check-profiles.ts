import type { Change, Profile } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';

type Profiles = ReadonlyMap<string, Profile>;

/** All profiles, as they are after some changes. @param now by name */
export function profilesAfter(now: Profiles, changes: readonly Change[]): Profiles {
  const profiles = new Map(now);
  for (const change of changes)
    if (change.kind === 'put-profile') profiles.set(change.profile.name, change.profile);
  for (const change of changes) if (change.kind === 'delete-profile') profiles.delete(change.name);
  return profiles;
}

/**
 * Checks that the profiles of changed instances exist: one may have been deleted or renamed meanwhile.
 * @throws profile-not-found
 */
export function checkProfiles(now: Profiles, changes: readonly Change[]): void {
  const profiles = profilesAfter(now, changes);
  for (const change of changes) {
    if (change.kind !== 'put-instance') continue;
    if (change.instance.profiles.some((name) => !profiles.has(name))) throw hostError('profile-not-found');
  }
}
