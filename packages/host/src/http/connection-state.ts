import type { Share } from '../base/byte-shares.ts';
import type { Turn } from './fair-turns.ts';

/**
 * The state of a connection:
 * - `reading`: it reads a request, or waits for one
 * - `answering`: an answer is being made or written; nothing is read meanwhile, unless the answer is held
 * - `draining`: an answer was written, but the client has not taken it yet; nothing is read meanwhile
 * - `closing`: the last answer is on its way; bytes that still come in are dropped
 * - `hijacked`: it is no longer HTTP
 */
export type ConnectionState = 'reading' | 'answering' | 'draining' | 'closing' | 'hijacked';

/** State that all connections of one owner share. Mostly the owner is an instance. */
export interface Owner {
  readonly turn: Turn;
  /** Bytes of answers that the owner's clients have not taken. */
  readonly untaken: Share;
}
