import { hostError } from '../../core/host-errors.ts';
import type { SharedChange } from '../../core/shared.ts';
import type { Compare, KeyValue, Operation, TxnAnswer, TxnRequest } from '../../etcd/requests.ts';
import type { SharedCommit } from '../shared-store.ts';
import type { Fence } from './fence.ts';
import type { FleetKeys } from './fleet-keys.ts';
import { encodeRecord } from './records.ts';

/** etcd's flag `--max-txn-ops`: that many compares, and as many steps. */
export const OPERATIONS_MAX = 128;

/** etcd's flag `--max-request-bytes` is 1.5 MiB; a little is left for the form of the request. */
export const REQUEST_BYTES_MAX = 1_500_000;

/** What the form of a request adds to each key and value. */
const STEP_BYTES = 32;

/** Who commits, and the proof that it may. */
export interface Writer {
  readonly member: string;
  readonly fence: Fence;
  /** Written with the commit; no other commit has it. */
  readonly token: string;
}

/** A commit as etcd's steps, with what it was made from. */
export interface Plan {
  readonly commit: SharedCommit;
  readonly puts: readonly { readonly key: string; readonly value: string }[];
  readonly deletes: readonly string[];
  /** Keys that must exist. */
  readonly needed: readonly string[];
  /** Keys of uses that must not have been written since `based`. */
  readonly unused: readonly string[];
}

/**
 * The steps of a commit.
 * @throws CodedError fleet-change-too-large
 */
export function planOf(commit: SharedCommit, keys: FleetKeys): Plan {
  const own = new Map(commit.changes.map((change) => [keys.of(change), encodeRecord(change)]));
  const puts = [...own].flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
  const deletes = [...own].flatMap(([key, value]) => (value === null ? [key] : []));
  const uses = new Set(commit.uses.map((each) => keys.uses(each)));
  // A commit may use what it puts itself.
  const needed = [...new Set(commit.uses.map((each) => keys.object(each)))].filter((key) => !own.get(key));
  const plan: Plan = {
    commit,
    puts: [...puts, ...[...uses].map((key) => ({ key, value: '' }))],
    // What is gone is not used.
    deletes: [...deletes, ...usesOfDeleted(commit.changes, keys).filter((key) => !uses.has(key))],
    needed,
    unused: [...new Set(commit.unused.map((each) => keys.uses(each)))],
  };
  refuseLarge(plan);
  return plan;
}

function usesOfDeleted(changes: readonly SharedChange[], keys: FleetKeys): string[] {
  return changes.flatMap((change) => {
    if (change.kind === 'delete-profile') return [keys.uses({ kind: 'profile', name: change.name })];
    if (change.kind === 'delete-image') return [keys.uses({ kind: 'image', name: change.fingerprint })];
    return [];
  });
}

/** The keys whose state a commit was made from: those that it changes, and those that it relies on. */
export function madeFrom({ commit }: Pick<Plan, 'commit'>, keys: FleetKeys): string[] {
  const changed = commit.changes.map((change) => keys.of(change));
  return [...new Set([...changed, ...commit.same.map((each) => keys.object(each))])];
}

/** The commit's own steps: those of the fence and of the token are added to each. */
const OWN_STEPS = 2;

function refuseLarge({ commit, puts, deletes, needed, unused }: Plan): void {
  const steps = puts.length + deletes.length + OWN_STEPS;
  const compares = commit.changes.length + commit.same.length + needed.length + unused.length + OWN_STEPS;
  const operations = Math.max(steps, compares);
  if (operations > OPERATIONS_MAX)
    throw hostError('fleet-change-too-large', `${operations} operations`, String(OPERATIONS_MAX));
  const size = (text: string) => Buffer.byteLength(text) + STEP_BYTES;
  // Each key may be in a compare, in a step, and be read if a compare fails.
  const bytes =
    puts.reduce((sum, { key, value }) => sum + 3 * size(key) + size(value), 0) +
    [...deletes, ...needed, ...unused].reduce((sum, key) => sum + 3 * size(key), 0);
  if (bytes > REQUEST_BYTES_MAX)
    throw hostError('fleet-change-too-large', `${bytes} bytes`, String(REQUEST_BYTES_MAX));
}

/** Where each key was changed last, as the commit was made; 0: it did not exist. */
export type Base = ReadonlyMap<string, number>;

/** The transaction: it makes the change if nothing has changed, and otherwise reads what has. */
export function requestOf(plan: Plan, base: Base, writer: Writer, keys: FleetKeys): TxnRequest {
  const { member, fence, token } = writer;
  const ownRecord = keys.member(member);
  const compare: Compare[] = [{ key: keys.alive(member), is: '=', value: fence.value }];
  if (!base.has(ownRecord)) compare.push({ key: ownRecord, is: '>', version: 0 });
  for (const [key, modRevision] of base) compare.push({ key, is: '=', modRevision });
  for (const key of plan.needed) compare.push({ key, is: '>', version: 0 });
  for (const key of plan.unused) compare.push({ key, is: '<', modRevision: plan.commit.based + 1 });
  const success: Operation[] = [
    { put: { key: keys.commits(member), value: token } },
    ...plan.puts.map(({ key, value }) => ({ put: { key, value } })),
    ...plan.deletes.map((key) => ({ delete: { key } })),
  ];
  const failure = [...new Set(compare.map(({ key }) => key))].map((key, index) => ({
    range: { key, keysOnly: index > 0 },
  }));
  return { compare, success, failure };
}

/** Why etcd has not made a change. */
export type Refusal =
  | { readonly reason: 'fence' }
  | { readonly reason: 'removed' }
  | { readonly reason: 'changed'; readonly keys: readonly string[] };

/** Why etcd has not made a change. */
export function refusalOf(
  plan: Plan,
  base: Base,
  writer: Writer,
  keys: FleetKeys,
  answer: TxnAnswer,
): Refusal {
  const found = new Map<string, KeyValue>();
  for (const response of answer.responses)
    if ('range' in response) for (const kv of response.range.kvs) found.set(kv.key, kv);
  if (found.get(keys.alive(writer.member))?.value !== writer.fence.value) return { reason: 'fence' };
  const ownRecord = keys.member(writer.member);
  if (!base.has(ownRecord) && !found.has(ownRecord)) return { reason: 'removed' };
  const modRevision = (key: string) => found.get(key)?.modRevision ?? 0;
  const changed = [
    ...[...base].filter(([key, at]) => modRevision(key) !== at).map(([key]) => key),
    ...plan.needed.filter((key) => !found.has(key)),
    ...plan.unused.filter((key) => modRevision(key) > plan.commit.based),
  ];
  return { reason: 'changed', keys: changed };
}
