import type { CodedError } from '../base/coded-error.ts';
import { etcdError } from './etcd-errors.ts';

/** A code of the table of errors. */
export type EtcdCode = Parameters<typeof etcdError>[0];

/** What a failed attempt means for the request. */
export interface Consequences {
  /** etcd may have carried out the request. */
  readonly mayBeDone?: boolean;
  /** Another endpoint may do better. */
  readonly elsewhere?: boolean;
  /** The same request may succeed a little later, as after the election of a leader. */
  readonly passing?: boolean;
  /** A new token may help. */
  readonly staleToken?: boolean;
}

/** Why one attempt at one endpoint has failed. Callers of the client never see it. */
export class Failure extends Error {
  readonly code: EtcdCode;
  readonly means: Consequences;

  constructor(code: EtcdCode, why: string, means: Consequences = {}) {
    super(why);
    this.name = 'Failure';
    this.code = code;
    this.means = means;
  }

  /** The error for callers. @param at the endpoint */
  toError(at: string): CodedError {
    return etcdError(this.code, at, this.message);
  }
}

/** The error for callers after several endpoints have failed: the one that says most, or all of them. */
export function mergeFailures(failures: readonly (readonly [at: string, failure: Failure])[]): CodedError {
  const [first, ...rest] = failures.filter(([, { code }]) => code !== 'etcd-unreachable');
  if (first)
    return rest.length === 0 || sameCode(first, rest) ? named(first, rest) : first[1].toError(first[0]);
  const places = failures.map(([at]) => at).join(', ');
  const reasons = [...new Set(failures.map(([, { message }]) => message))].join('; ');
  return etcdError('etcd-unreachable', places, reasons);
}

function sameCode(
  [, { code }]: readonly [string, Failure],
  rest: readonly (readonly [string, Failure])[],
): boolean {
  return rest.every(([, failure]) => failure.code === code);
}

function named(
  [at, failure]: readonly [string, Failure],
  rest: readonly (readonly [string, Failure])[],
): CodedError {
  return failure.toError([at, ...rest.map(([place]) => place)].join(', '));
}
