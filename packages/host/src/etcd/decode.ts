import type {
  EventJson,
  HeadedJson,
  KeyValueJson,
  LeaseJson,
  MemberJson,
  OperationJson,
  RangeJson,
  StatusJson,
  TxnJson,
} from './gateway-json.ts';
import type {
  KeyValue,
  LeaseTime,
  Member,
  OperationAnswer,
  RangeAnswer,
  Status,
  TxnAnswer,
} from './requests.ts';
import type { WatchEvent } from './watch-types.ts';

const textOf = (base64: string | undefined): string =>
  base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('utf8');

/** A revision, version or size. They are exact up to 2^53: more changes than etcd can make in a century. */
export const numberOf = (text: string | undefined): number => (text === undefined ? 0 : Number(text));

/** The revision in the head of an answer. */
export const revisionOf = (json: HeadedJson): number => numberOf(json.header?.revision);

function keyValueOf(json: KeyValueJson): KeyValue {
  return {
    key: textOf(json.key),
    value: textOf(json.value),
    createRevision: numberOf(json.create_revision),
    modRevision: numberOf(json.mod_revision),
    version: numberOf(json.version),
    lease: json.lease ?? '0',
  };
}

/** @param revision of the whole answer, if this is a part of one */
export function rangeAnswerOf(json: RangeJson, revision = revisionOf(json)): RangeAnswer {
  const kvs = (json.kvs ?? []).map(keyValueOf);
  return { kvs, more: json.more ?? false, count: numberOf(json.count), revision };
}

function operationAnswerOf(json: OperationJson, revision: number): OperationAnswer {
  if (json.response_range) return { range: rangeAnswerOf(json.response_range, revision) };
  const removed = json.response_delete_range;
  if (removed)
    return {
      delete: { deleted: numberOf(removed.deleted), prevKvs: (removed.prev_kvs ?? []).map(keyValueOf) },
    };
  const before = json.response_put?.prev_kv;
  return { put: before ? { prevKv: keyValueOf(before) } : {} };
}

export function txnAnswerOf(json: TxnJson): TxnAnswer {
  const revision = revisionOf(json);
  const responses = (json.responses ?? []).map((each) => operationAnswerOf(each, revision));
  return { succeeded: json.succeeded ?? false, responses, revision };
}

/** etcd writes -1 for a lease that is gone. */
export function leaseTimeOf(json: LeaseJson): LeaseTime {
  return {
    ttl: Math.max(0, numberOf(json.TTL)),
    grantedTtl: numberOf(json.grantedTTL),
    keys: (json.keys ?? []).map(textOf),
  };
}

export function statusOf(json: StatusJson): Status {
  return {
    version: json.version ?? '',
    clusterId: json.header?.cluster_id ?? '0',
    memberId: json.header?.member_id ?? '0',
    leader: json.leader ?? '0',
    raftTerm: numberOf(json.raftTerm),
    revision: revisionOf(json),
    dbSizeBytes: numberOf(json.dbSize),
    dbSizeInUseBytes: numberOf(json.dbSizeInUse),
  };
}

export function memberOf(json: MemberJson): Member {
  return {
    id: json.ID ?? '0',
    name: json.name ?? '',
    peerUrls: json.peerURLs ?? [],
    clientUrls: json.clientURLs ?? [],
    learner: json.isLearner ?? false,
  };
}

export function eventOf(json: EventJson): WatchEvent {
  const kv = keyValueOf(json.kv ?? {});
  const type = json.type === 'DELETE' ? 'delete' : 'put';
  return json.prev_kv ? { type, kv, prevKv: keyValueOf(json.prev_kv) } : { type, kv };
}
