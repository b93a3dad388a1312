/** The caller of a connection to the guest API; identified once, when the connection is accepted. */
export type Caller =
  /** Root of a registered instance. `runNumber` tells this run from earlier and later ones. */
  | { readonly kind: 'instance'; readonly instanceId: number; readonly runNumber: number }
  /** A process of an instance that is not its root: answered 401. */
  | { readonly kind: 'not-root'; readonly instanceId: number; readonly runNumber: number }
  /** An unknown caller, or one that has already ended: answered 500. `uid` is its host uid at connect(). */
  | { readonly kind: 'no-instance'; readonly uid?: number };
