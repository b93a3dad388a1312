import { Failure } from './failure.ts';

/** Errors of the connection itself that have no number of the system. */
const RESETS = new Set(['ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);

/** Causes, for people, of the errors that are most frequent. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the name is unknown',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the network',
  ETIMEDOUT: 'no answer in time',
};

/**
 * A failure of the connection.
 * @param sent the request may have reached etcd
 */
export function connectionFailure(error: Error, sent: boolean, isTls = false): Failure {
  if (error instanceof Failure) return error;
  const { code = '', errno } = error as NodeJS.ErrnoException;
  const reason = reasonOf(error, isTls && !sent);
  if (code.startsWith('HPE_'))
    return new Failure('etcd-failed', `this is not HTTP (${reason})`, { mayBeDone: sent, elsewhere: true });
  // The other side ends a handshake, also one that looked complete from here, before it reads a request.
  if (code === 'EPROTO' || (errno === undefined && code !== '' && !RESETS.has(code)))
    return new Failure('etcd-certificate', reason, { elsewhere: true });
  return new Failure('etcd-unreachable', reason, { mayBeDone: sent, elsewhere: true });
}

/** An etcd without TLS ends a connection that begins with it. */
function reasonOf(error: Error, isBeforeTls: boolean): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  // OpenSSL's message has places in its sources too.
  const { reason: short } = error as { readonly reason?: string };
  const reason = REASONS[code] ?? (short === undefined ? error.message : openSslReason(short));
  return code === 'ECONNRESET' && isBeforeTls ? `${reason} before TLS was agreed` : reason;
}

/** What the other side says in an alert of TLS. */
function openSslReason(short: string): string {
  if (!/alert.*(?:bad certificate|certificate required|unknown ca)/.test(short)) return short;
  return `the other side wants a certificate that it trusts (${short})`;
}
