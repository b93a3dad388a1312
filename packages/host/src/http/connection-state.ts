import type { Share } from '../base/byte-shares.ts';
import type { Turn } from './fair-turns.ts';

/**
 * What a connection is at:
 * - `reading`: reading a request, or waiting for one
 * - `answering`: an answer is being made or written; nothing is read meanwhile, unless it is held
 * - `draining`: an answer has been given but the client has not taken it yet; nothing is read meanwhile
 * - `closing`: the last answer is on its way; what still comes in is dropped
 * - `hijacked`: no longer HTTP
 */
export type ConnectionState = 'reading' | 'answering' | 'draining' | 'closing' | 'hijacked';

/** What the connections of one owner, an instance mostly, share. */
export interface Owner {
  readonly turn: Turn;
  /** Bytes of answers that its clients have not taken. */
  readonly untaken: Share;
}
