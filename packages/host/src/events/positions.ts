import type { Position } from '../core/position.ts';

/** Which positions of a journal have missed nothing. */
interface Span {
  readonly oldest: number;
  readonly newest: number;
}

/** Why a reader cannot go on at a position, and the nearest one where it can; undefined where it can. */
export function refusedPosition(
  since: Position | undefined,
  { oldest, newest }: Span,
): { readonly why: 'position-too-old' | 'position-unknown'; readonly nearest: string } | undefined {
  if (typeof since !== 'number') return undefined;
  if (since < oldest) return { why: 'position-too-old', nearest: String(oldest) };
  return since > newest ? { why: 'position-unknown', nearest: String(newest) } : undefined;
}
