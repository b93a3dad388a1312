/**
 * What a connection is at:
 * - `head`, `body`: reading a request
 * - `answering`: an answer is being made or written; nothing is read meanwhile, unless it is held
 * - `draining`: an answer has been given but the client has not taken it yet; nothing is read meanwhile
 * - `closing`: the last answer is on its way; what still comes in is dropped
 * - `hijacked`: no longer HTTP
 */
export type ConnectionState = 'head' | 'body' | 'answering' | 'draining' | 'closing' | 'hijacked';
