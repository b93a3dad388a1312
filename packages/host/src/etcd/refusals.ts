import { type Consequences, type EtcdCode, Failure } from './failure.ts';

const ELSEWHERE = { elsewhere: true, passing: true } as const;
const MAYBE_DONE = { ...ELSEWHERE, mayBeDone: true } as const;

/** What etcd's own texts mean, in the order in which they are tried. */
const TEXTS: readonly (readonly [RegExp, EtcdCode, Consequences?])[] = [
  [/no leader|not leader/, 'etcd-no-leader', ELSEWHERE],
  [/leader changed|request timed out/, 'etcd-unreachable', MAYBE_DONE],
  [/too many requests/, 'etcd-unreachable', ELSEWHERE],
  [
    /invalid auth token|revision of auth store is old|auth: revision in header is old/,
    'etcd-refused-credentials',
    { staleToken: true },
  ],
  [/invalid user ID or password|user name is empty|user name not found/, 'etcd-refused-credentials'],
  [/permission denied|permission is not granted/, 'etcd-permission'],
  [/request is too large|received message larger than max/, 'etcd-too-large'],
  [/too many operations in txn/, 'etcd-too-many-operations'],
  [/database space exceeded/, 'etcd-no-space'],
  [/required revision has been compacted/, 'etcd-compacted'],
  [/required revision is a future revision/, 'etcd-future-revision', ELSEWHERE],
  // The gateway could not connect to the etcd behind it: TLS asks its own certificate to be one for clients too.
  [/authentication handshake failed/, 'etcd-certificate', { elsewhere: true }],
];

/**
 * gRPC's codes for requests that were refused before they began: invalid, not found, exists already, permission,
 * exhausted, precondition, out of range, not implemented, not authenticated.
 */
const NOT_BEGUN = new Set([3, 5, 6, 7, 8, 9, 11, 12, 16]);

/** A refusal by etcd. @param grpcCode a number of gRPC's codes, if known */
export function refusalOf(text: string, grpcCode?: number): Failure {
  const why = text.replace(/^etcdserver: /, '').trim();
  for (const [pattern, code, means] of TEXTS) if (pattern.test(text)) return new Failure(code, why, means);
  if (grpcCode !== undefined && NOT_BEGUN.has(grpcCode)) return new Failure('etcd-failed', why);
  return new Failure('etcd-failed', why, { mayBeDone: true, elsewhere: true });
}

/** Longer texts of others are cut. */
const TEXT_LENGTH_MAX = 200;

/** A refusal by an answer whose status is not 200. */
export function refusalOfAnswer(status: number, body: string): Failure {
  const json = parsed(body);
  if (typeof json?.error === 'string') return refusalOf(json.error, Number(json.code));
  if (typeof json?.error === 'object' && json.error !== null) {
    const { message, grpc_code } = json.error as { message?: string; grpc_code?: number };
    return refusalOf(message ?? 'no reason given', grpc_code);
  }
  // Not etcd's gateway, or only a part of it.
  const why = `HTTP ${status}: ${body.trim().slice(0, TEXT_LENGTH_MAX)}`;
  return new Failure('etcd-failed', why, { mayBeDone: status >= 500, elsewhere: true });
}

function parsed(body: string): { error?: unknown; code?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
