/** Who is at the other end of a connection to the guest API; settled once, at accept. */
export type Caller =
  /** Root of a registered instance. `boot` tells this run of the instance from earlier and later ones. */
  | { readonly kind: 'instance'; readonly instanceId: number; readonly runNumber: number }
  /** A process of an instance, but not its root: 401. */
  | { readonly kind: 'not-root'; readonly instanceId: number; readonly runNumber: number }
  /** A process in no registered instance, or one that is already gone: 500. `uid` is the host's, at connect(). */
  | { readonly kind: 'no-instance'; readonly uid?: number };
