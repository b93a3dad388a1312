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
  [/required revision is a future revision/, 'etcd-future-revision', { elsewhere: true }],
];

/**
 * gRPC's codes for requests that were refused before they began: invalid, not found, exists already, permission,
 * exhausted, precondition, out of range, not implemented, not authenticated.
 */
const NOT_BEGUN = new Set([3, 5, 6, 7, 8, 9, 11, 12, 16]);

/** The gateway could not connect to the etcd behind it, or lost it. */
const GATEWAY_ALONE = /connection closed|connection error|transport is closing|SubConns are in/;
const NOT_FOR_CLIENTS =
  "the gateway does not reach its etcd. If etcd checks client certificates, its own must be for clients too ('clientAuth')";

/** A refusal by etcd. @param grpcCode a number of gRPC's codes, if known */
export function refusalOf(text: string, grpcCode?: number): Failure {
  const why = text.replace(/^(rpc error: code = \w+ desc = )?(etcdserver: )?/, '').trim();
  for (const [pattern, code, means] of TEXTS) if (pattern.test(text)) return new Failure(code, why, means);
  if (GATEWAY_ALONE.test(text))
    return new Failure('etcd-unreachable', `${why}: ${NOT_FOR_CLIENTS}`, {
      mayBeDone: true,
      elsewhere: true,
    });
  if (grpcCode !== undefined && NOT_BEGUN.has(grpcCode)) return new Failure('etcd-failed', why);
  return new Failure('etcd-failed', why, { mayBeDone: true, elsewhere: true });
}

/** etcd with users and client certificates answers this, although the request has a token. */
const COMMON_NAME = 'CommonName of client sending a request against gateway';
const NO_COMMON_NAME =
  'its gateway takes no client certificate with a common name (CN): give one without, and a user with a password';

/** Longer texts of others are cut. */
const TEXT_LENGTH_MAX = 200;

/** A refusal by an answer whose status is not 200. */
export function refusalOfAnswer(status: number, body: string): Failure {
  const json = parsed(body);
  const refusal = json?.error && typeof json.error === 'object' ? json.error : json;
  const text = refusal?.message ?? refusal?.error;
  if (typeof text === 'string') return refusalOf(text, refusal?.grpc_code ?? refusal?.code);
  if (body.startsWith(COMMON_NAME)) return new Failure('etcd-refused-credentials', NO_COMMON_NAME);
  // Not etcd's gateway, or only a part of it.
  const why = `HTTP ${status}: ${body.trim().slice(0, TEXT_LENGTH_MAX)}`;
  return new Failure('etcd-failed', why, { mayBeDone: status >= 500, elsewhere: true });
}

/** The gateway's forms of an error: `message` is new in some builds of 3.5, an object in `error` is a stream's. */
interface ErrorJson {
  readonly error?: string | ErrorJson;
  readonly message?: string;
  readonly code?: number;
  readonly grpc_code?: number;
}

function parsed(body: string): ErrorJson | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
