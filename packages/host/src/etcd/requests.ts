/** One key, all keys from `key` up to `rangeEnd` (excluded), or all keys that begin with `prefix`. */
export type Keys =
  | { readonly key: string; readonly rangeEnd?: string }
  /** Not empty. */
  | { readonly prefix: string };

/** Limits of one request; without them the client's own apply. */
export interface CallOptions {
  /** The answer must be there after this time, with all attempts at all endpoints. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How keys are sorted; without it, by key. */
export interface Sort {
  readonly by: 'key' | 'version' | 'create' | 'mod' | 'value';
  readonly order: 'ascending' | 'descending';
}

/** What is read. Without `revision` and `serializable`, the answer has all that was committed before. */
export type RangeRequest = Keys & {
  readonly revision?: number;
  /** Only keys that come after this one. */
  readonly after?: string;
  /** The largest number of keys; 0 is no limit. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
  /** The answer has only `count`. */
  readonly countOnly?: boolean;
  readonly sort?: Sort;
  /** The endpoint answers from what it has, without asking the others: the answer may be old. It needs a leader too. */
  readonly serializable?: boolean;
};

/** A key as etcd holds it. Keys and values are UTF-8; lease ids are decimal numbers of up to 19 digits. */
export interface KeyValue {
  readonly key: string;
  /** Empty if only keys were asked for, and for a deleted key. */
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since the key was created, with its creation; 0 for a deleted key. */
  readonly version: number;
  /** `0` for none. */
  readonly lease: string;
}

/** What a read found. */
export interface RangeAnswer {
  readonly kvs: readonly KeyValue[];
  /** There are more keys than `limit`. */
  readonly more: boolean;
  /** All keys of the request, also those beyond `limit`. */
  readonly count: number;
  /** etcd's revision at the time of the answer, also if an older one was read. */
  readonly revision: number;
}

/** A condition of a transaction. A key that does not exist has version, revisions and lease 0. */
export type Compare = { readonly key: string; readonly is: '=' | '!=' | '<' | '>' } & (
  | { readonly version: number }
  | { readonly createRevision: number }
  | { readonly modRevision: number }
  | { readonly value: string }
  | { readonly lease: string }
);

/** A step of a transaction. */
export type Operation =
  | {
      readonly put: {
        readonly key: string;
        readonly value: string;
        readonly lease?: string;
        readonly prevKv?: boolean;
      };
    }
  | { readonly delete: Keys & { readonly prevKv?: boolean } }
  | { readonly range: RangeRequest };

/** All compares hold: `success` is carried out, else `failure`, at one revision. No key may be changed twice. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** What a step has done. */
export type OperationAnswer =
  | { readonly put: { readonly prevKv?: KeyValue } }
  | { readonly delete: { readonly deleted: number; readonly prevKvs: readonly KeyValue[] } }
  | { readonly range: RangeAnswer };

/** What a transaction has done. */
export interface TxnAnswer {
  readonly succeeded: boolean;
  /** One for each step, in order. */
  readonly responses: readonly OperationAnswer[];
  /** The revision that it made, or, if it changed nothing, etcd's. */
  readonly revision: number;
}

/** What is left of a lease. */
export interface LeaseTime {
  /** Seconds; 0 if it is gone. */
  readonly ttl: number;
  /** Seconds; 0 if it is gone. */
  readonly grantedTtl: number;
  readonly keys: readonly string[];
}

/** One endpoint's own state. Ids are decimal numbers of up to 20 digits. */
export interface Status {
  readonly version: string;
  readonly clusterId: string;
  readonly memberId: string;
  readonly leader: string;
  readonly raftTerm: number;
  readonly revision: number;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
}

/** A node of the etcd cluster. */
export interface Member {
  readonly id: string;
  /** Empty until it has started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
}
