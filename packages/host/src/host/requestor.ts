import type { IncomingMessage } from 'node:http';
import type { Requestor } from '../model/events.ts';

/** The sender of a request: the socket's mode admits root and its group, and LXD names all of them root. */
export function requestorOf(_request: IncomingMessage): Requestor {
  return { username: 'root', protocol: 'unix', address: '@' };
}
