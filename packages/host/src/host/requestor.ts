import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { hostError } from '../core/host-errors.ts';
import type { Requestor } from '../model/events.ts';

/** The operator of a request that one member passes on to another. It counts only on connections of members. */
export const REQUESTOR_HEADER = 'porthole-requestor';

/** Longest name of a user in that header. */
const USERNAME_MAX = 256;

/** The member at the other end of a connection. Connections of operators are not in it. */
const members = new WeakMap<Duplex, string>();

/** Notes that a connection is that of another member, which has proved its name. */
export function noteMember(socket: Duplex, member: string): void {
  members.set(socket, member);
}

/** Whether a connection is that of another member. */
export function isMembers(socket: Duplex): boolean {
  return members.has(socket);
}

/**
 * The member that sends a request; undefined if an operator of this host does. A request of a member is never passed on:
 * the sender knew where the instance lives.
 */
export function senderOf(request: IncomingMessage): string | undefined {
  return members.get(request.socket);
}

/**
 * The operator behind a request: the socket's mode admits root and its group, and LXD names all of them root.
 * @throws bad-request for a header of a member that cannot be read
 */
export function requestorOf(request: IncomingMessage): Requestor {
  const named = senderOf(request) === undefined ? undefined : request.headers[REQUESTOR_HEADER];
  const username = named === undefined ? 'root' : usernameIn(String(named));
  return { username, protocol: 'unix', address: '@' };
}

/** The value of the header for an operator. */
export function requestorHeader({ username }: Requestor): string {
  return encodeURIComponent(username);
}

function usernameIn(header: string): string {
  if (!/^[\w.~!*'()%-]+$/.test(header) || header.length > USERNAME_MAX) throw unreadable();
  try {
    return decodeURIComponent(header);
  } catch {
    throw unreadable();
  }
}

function unreadable(): Error {
  return hostError('bad-request', 'Invalid requestor');
}
