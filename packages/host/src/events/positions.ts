import type { Position } from '../core/position.ts';

/** The positions of a journal after which no event is missing. */
interface Span {
  readonly oldest: number;
  readonly newest: number;
}

/** Why a reader cannot continue at a position, and the nearest one where it can; undefined where it can. */
export function refusedPosition(
  since: Position | undefined,
  { oldest, newest }: Span,
): { readonly why: 'position-too-old' | 'position-unknown'; readonly nearest: string } | undefined {
  if (typeof since !== 'number') return undefined;
  if (since < oldest) return { why: 'position-too-old', nearest: String(oldest) };
  return since > newest ? { why: 'position-unknown', nearest: String(newest) } : undefined;
}
