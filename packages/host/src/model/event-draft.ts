import type { LifecycleMetadata } from './events.ts';

/** An event to be written with a change. */
export type EventDraft =
  | { readonly type: 'lifecycle'; readonly metadata: LifecycleMetadata; readonly causedBy?: number }
  | {
      readonly type: 'config' | 'device';
      readonly instanceId: number;
      readonly metadata: Readonly<Record<string, unknown>>;
    };
