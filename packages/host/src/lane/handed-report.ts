import type { Caller } from '../core/caller.ts';
import { acceptedOf } from '../guest/caller-key.ts';
import type { Accepted } from '../http/application.ts';
import type { HandedOver } from '../http/front-end.ts';
import type { Share } from '../http/slots.ts';
import type { HandedReport } from './messages.ts';

/** A connection that the lane has handed over, as the main server takes it. */
export function handedOver({ fd, caller, unread, unsent, last }: HandedReport): HandedOver<Caller> {
  return { fd, accepted: acceptedOf(caller), unread: bufferOf(unread), unsent: bufferOf(unsent), last };
}

/** The share that a connection counts towards. */
export function shareOf({ key, rank }: Accepted<Caller>): Share {
  return { key, rank };
}

/** Between threads a buffer becomes a plain array. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
