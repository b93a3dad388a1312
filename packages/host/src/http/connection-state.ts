/**
 * What a connection is at:
 * - `reading`: reading a request, or waiting for one
 * - `answering`: an answer is being made or written; nothing is read meanwhile, unless it is held
 * - `draining`: an answer has been given but the client has not taken it yet; nothing is read meanwhile
 * - `closing`: the last answer is on its way; what still comes in is dropped
 * - `hijacked`: no longer HTTP
 */
export type ConnectionState = 'reading' | 'answering' | 'draining' | 'closing' | 'hijacked';
