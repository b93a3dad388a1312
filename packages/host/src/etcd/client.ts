import type {
  CallOptions,
  LeaseTime,
  Member,
  RangeAnswer,
  RangeRequest,
  Status,
  TxnAnswer,
  TxnRequest,
} from './requests.ts';
import type { Watch, WatchRequest } from './watch-types.ts';

/** How etcd is reached. */
export interface EtcdOptions {
  /** URLs such as `https://etcd-1:2379`, one or more; all `http` or all `https`. */
  readonly endpoints: readonly string[];
  /** PEM texts. Without `ca`, Node's own authorities are trusted. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly login?: { readonly user: string; readonly password: string };
  /** The default limit of a request; 5 s. */
  readonly timeoutMs?: number;
}

/** A client of etcd v3. Every method throws CodedErrors of `etcd-errors.ts`. */
export interface Etcd {
  range(request: RangeRequest, options?: CallOptions): Promise<RangeAnswer>;
  /** Not repeated when its answer is lost: `etcd-unknown` says so. */
  txn(request: TxnRequest, options?: CallOptions): Promise<TxnAnswer>;
  /** @returns the lease's id */
  grant(ttlSeconds: number, options?: CallOptions): Promise<string>;
  /** @returns seconds that it now has; 0 if it is gone */
  keepAlive(lease: string, options?: CallOptions): Promise<number>;
  /** Removes the lease and its keys; harmless if it is gone. */
  revoke(lease: string, options?: CallOptions): Promise<void>;
  timeToLive(lease: string, options?: CallOptions): Promise<LeaseTime>;
  /** Resolves when etcd has acknowledged the watch. */
  watch(request: WatchRequest): Promise<Watch>;
  /** State of the endpoint that is in use. */
  status(options?: CallOptions): Promise<Status>;
  memberList(options?: CallOptions): Promise<readonly Member[]>;
  /** Forgets all states before this revision; harmless if that has been done. */
  compact(revision: number, options?: CallOptions): Promise<void>;
  /** Ends all watches and connections. */
  close(): void;
}
