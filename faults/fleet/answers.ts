import { ApiError } from '../../packages/host/src/client/client-errors.ts';
import type { ChangeEnd } from '../check/fleet/record.ts';

/** What the daemon's sentences mean for a change. */
const SENTENCES: readonly (readonly [RegExp, ChangeEnd])[] = [
  [/is cut off from the fleet: it cannot change/, 'cut off'],
  [/^This member was cut off from the fleet during the change/, 'unknown'],
  [/^The fleet has the change, but/, 'not applied yet'],
  [/^The fleet does not take the change/, 'unknown'],
  [/^The connection to member .* broke before its answer/, 'unknown'],
  [/^Member .* of the fleet (does not answer|refuses the connection)/, 'refused'],
  [/was changed meanwhile: try again$/, 'refused'],
  [/^ETag doesn't match/, 'refused'],
  [/not found$|already exists$|already in use/i, 'refused'],
  [/^The daemon (stops|is stopping|restarts)/, 'refused'],
];

/** How a change ended, from the error that the client got. */
export function endOf(error: unknown): { outcome: ChangeEnd; text: string } {
  if (!(error instanceof ApiError)) {
    const text = error instanceof Error ? error.message : String(error);
    // Nothing listens: the request has not been read.
    const isRefused = /daemon is not running/.test(text);
    return { outcome: isRefused ? 'refused' : 'unknown', text };
  }
  const row = SENTENCES.find(([sentence]) => sentence.test(error.message));
  return {
    outcome: row?.[1] ?? 'unexpected',
    text: row ? error.message : `${error.status} ${error.message}`,
  };
}
