import type { Profile } from '../core/entities.ts';

export interface ProfileInfo {
  readonly profile: Profile;
  /** Names of the instances that use it. */
  readonly usedBy: readonly string[];
}
