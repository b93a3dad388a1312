import type { JournalSpan } from '../core/entities.ts';
import type { Operation } from './operation.ts';

/** The operator who caused a lifecycle event through the host API. */
export interface Requestor {
  readonly username: string;
  readonly protocol: 'unix';
  readonly address: '@';
}

export interface LifecycleMetadata {
  readonly action: string;
  /** `/1.0/<collection>/<name>`. */
  readonly source: string;
  readonly requestor?: Requestor;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A lifecycle event of the journal; its sequence number is its position. */
export interface LifecycleEvent {
  readonly type: 'lifecycle';
  readonly timestamp: string;
  readonly metadata: LifecycleMetadata;
  readonly sequence: number;
}

/** An event on the host API's stream. */
export type HostEvent =
  | LifecycleEvent
  | { readonly type: 'operation'; readonly timestamp: string; readonly metadata: Operation }
  | {
      readonly type: 'logging';
      readonly timestamp: string;
      readonly metadata: {
        readonly message: string;
        readonly level: string;
        readonly context: Readonly<Record<string, string>>;
      };
    };

/** The stored lifecycle events. */
export interface HostJournal {
  /** The positions after which no event is missing. */
  span(): JournalSpan;
  /** Some of the events after a position, in order; at least one if there is any. */
  after(
    position: number,
    eventsMax: number,
    bytesMax: number,
  ): { readonly events: readonly LifecycleEvent[]; readonly more: boolean };
}
