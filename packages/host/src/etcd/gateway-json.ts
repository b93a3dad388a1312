// etcd's protobuf messages as its gateway writes them: numbers of 64 bits are strings, bytes are base64, and whatever
// is 0, false or empty is left out.

export interface KeyValueJson {
  readonly key?: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly version?: string;
  readonly lease?: string;
}

interface HeaderJson {
  readonly cluster_id?: string;
  readonly member_id?: string;
  readonly revision?: string;
}

/** The head of every answer. */
export interface HeadedJson {
  readonly header?: HeaderJson;
}

export interface RangeJson extends HeadedJson {
  readonly kvs?: readonly KeyValueJson[];
  readonly more?: boolean;
  readonly count?: string;
}

/** The answer to one step of a transaction. */
export interface OperationJson {
  readonly response_put?: { readonly prev_kv?: KeyValueJson };
  readonly response_delete_range?: { readonly deleted?: string; readonly prev_kvs?: readonly KeyValueJson[] };
  readonly response_range?: RangeJson;
}

export interface TxnJson extends HeadedJson {
  readonly succeeded?: boolean;
  readonly responses?: readonly OperationJson[];
}

export interface LeaseJson {
  readonly ID?: string;
  readonly TTL?: string;
  readonly grantedTTL?: string;
  readonly keys?: readonly string[];
}

export interface StatusJson extends HeadedJson {
  readonly version?: string;
  readonly leader?: string;
  readonly raftTerm?: string;
  readonly dbSize?: string;
  readonly dbSizeInUse?: string;
}

export interface MemberJson {
  readonly ID?: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

export interface EventJson {
  readonly type?: 'DELETE';
  readonly kv?: KeyValueJson;
  readonly prev_kv?: KeyValueJson;
}

export interface WatchJson extends HeadedJson {
  /** `-1` in the answer to a request for progress, and in refusals. */
  readonly watch_id?: string;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compact_revision?: string;
  readonly cancel_reason?: string;
  /** The next message has further events of the same answer. */
  readonly fragment?: boolean;
  readonly events?: readonly EventJson[];
}

/** A message of a stream: a result, or the error that ends the stream. */
export interface StreamedJson<T> {
  readonly result?: T;
  readonly error?: { readonly message?: string; readonly grpc_code?: number; readonly code?: number };
}
