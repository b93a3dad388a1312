import type { EventDraft } from './event-draft.ts';
import type { LifecycleMetadata, Requestor } from './events.ts';

type Collection = 'operations' | 'instances' | 'profiles' | 'images' | 'images/aliases';

/** Optional parts of a lifecycle event. */
interface Extra {
  readonly by?: Requestor | null;
  readonly context?: LifecycleMetadata['context'];
  /** The instance that caused the event itself. */
  readonly causedBy?: number;
}

/** A lifecycle event about one object, in the form that LXD gives it. */
export function lifecycle(
  action: string,
  collection: Collection,
  name: string,
  extra: Extra = {},
): EventDraft {
  return {
    type: 'lifecycle',
    ...(extra.causedBy === undefined ? {} : { causedBy: extra.causedBy }),
    metadata: {
      action,
      source: `/1.0/${collection}/${encodeURIComponent(name)}`,
      ...(extra.by ? { requestor: extra.by } : {}),
      ...(extra.context ? { context: extra.context } : {}),
    },
  };
}
