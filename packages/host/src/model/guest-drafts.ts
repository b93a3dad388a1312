import type { Change, Instance, State } from '../core/entities.ts';
import { type Expanded, expand } from '../core/expand.ts';
import { guestEvents } from '../core/guest-events.ts';
import { profilesAfter } from './check-profiles.ts';
import type { EventDraft } from './event-draft.ts';

/** The state that changes are applied to. */
export interface Applied {
  readonly profiles: State['profiles'];
  readonly instances: {
    get(id: number): Instance | undefined;
    /** The instances that use a profile. */
    usersOf(profile: string): readonly Instance[];
  };
  expanded(instance: Instance): Expanded;
}

/** What instances hear of changes that are applied to a state. */
function guestDrafts(changes: readonly Change[], state: Applied): EventDraft[] {
  const profiles = profilesAfter(state.profiles, changes);
  const next = new Map<number, Instance>();
  for (const change of changes)
    if (change.kind === 'put-profile')
      for (const user of state.instances.usersOf(change.profile.name)) next.set(user.id, user);
  for (const change of changes)
    if (change.kind === 'put-instance') next.set(change.instance.id, change.instance);
  return [...next].flatMap(([instanceId, instance]) => {
    const before = state.instances.get(instanceId);
    if (!before) return [];
    const events = guestEvents(state.expanded(before), expand(instance, profiles));
    return events.map((event): EventDraft => ({ ...event, instanceId }));
  });
}

/** The drafts with what instances hear of the changes as they are applied, instead of what was planned. */
export function withGuestDrafts(
  planned: readonly EventDraft[],
  changes: readonly Change[],
  state: Applied,
): readonly EventDraft[] {
  return [...guestDrafts(changes, state), ...planned.filter(({ type }) => type === 'lifecycle')];
}
