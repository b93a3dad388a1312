import type { TLSSocket } from 'node:tls';
import { GREETING_BYTES_MAX } from './link-limits.ts';

/** Why a member takes no connection. */
export type Refusal = 'no-certificate' | 'unknown-certificate' | 'too-many-connections';

const REASONS: Readonly<Record<Refusal, string>> = {
  'no-certificate': 'it got no certificate',
  'unknown-certificate': 'it does not know the certificate of this member',
  'too-many-connections': 'it has too many connections with this member',
};

/**
 * The first line of each connection, from the side that accepts. TLS 1.3 tells a client that its handshake is done before
 * the other side has looked at the certificate. With this line a member knows that it is accepted before it sends a
 * request. It also knows why it is not.
 */
const ACCEPTED = 'porthole-link 1 accepted';
const REFUSED = 'porthole-link 1 refused ';

/** The first line of a connection. */
export function greeting(refusal?: Refusal): string {
  return `${refusal === undefined ? ACCEPTED : REFUSED + refusal}\n`;
}

/** Reads the first line. @returns why the connection is refused; undefined if it is accepted */
export function readGreeting(socket: TLSSocket): Promise<string | undefined> {
  const line = Promise.withResolvers<string | undefined>();
  let text = '';
  const read = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (!text.endsWith('\n') && text.length <= GREETING_BYTES_MAX) return;
    socket.off('data', read);
    line.resolve(whyRefused(text));
  };
  socket.on('data', read);
  return line.promise;
}

function whyRefused(line: string): string | undefined {
  if (line === greeting()) return undefined;
  const reason = line.startsWith(REFUSED) ? line.slice(REFUSED.length).trim() : '';
  return isRefusal(reason) ? REASONS[reason] : 'it does not answer as a member of the fleet';
}

function isRefusal(reason: string): reason is Refusal {
  return Object.hasOwn(REASONS, reason);
}
