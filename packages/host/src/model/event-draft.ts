import { type Clock, timestamp } from '../base/clock.ts';
import type { NewEvent } from '../core/entities.ts';
import type { LifecycleMetadata } from './events.ts';

/** An event to be written with a change. */
export type EventDraft =
  | { readonly type: 'lifecycle'; readonly metadata: LifecycleMetadata; readonly causedBy?: number }
  | {
      readonly type: 'config' | 'device';
      readonly instanceId: number;
      readonly metadata: Readonly<Record<string, unknown>>;
    };

/** The events of drafts, all at the present time. */
export function eventsOf(drafts: readonly EventDraft[], clock: Clock): NewEvent[] {
  const now = timestamp(clock);
  return drafts.map((each) => ({
    instanceId: each.type === 'lifecycle' ? null : each.instanceId,
    type: each.type,
    timestamp: now,
    metadata: { ...each.metadata },
    ...('causedBy' in each ? { causedBy: each.causedBy } : {}),
  }));
}
