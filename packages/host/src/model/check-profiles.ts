import type { Change } from '../core/entities.ts';
import { hostError } from '../core/host-errors.ts';

/**
 * Checks that the profiles of changed instances exist: one may have been deleted or renamed meanwhile.
 * @param now by name, before the changes
 * @throws profile-not-found
 */
export function checkProfiles(now: ReadonlyMap<string, unknown>, changes: readonly Change[]): void {
  const profiles = new Set(now.keys());
  for (const change of changes) if (change.kind === 'put-profile') profiles.add(change.profile.name);
  for (const change of changes) if (change.kind === 'delete-profile') profiles.delete(change.name);
  for (const change of changes) {
    if (change.kind !== 'put-instance') continue;
    if (change.instance.profiles.some((name) => !profiles.has(name))) throw hostError('profile-not-found');
  }
}
