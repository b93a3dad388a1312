import type { Operation } from './operations.ts';

/** Who caused a lifecycle event through the API. */
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

/** An event on the host API's stream. */
export type HostEvent =
  | { readonly type: 'lifecycle'; readonly timestamp: string; readonly metadata: LifecycleMetadata }
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
