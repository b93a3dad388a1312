import { hostError } from '../core/host-errors.ts';
import type { Member } from '../core/shared.ts';

/** The newest form of the fleet's records that this version understands. */
export const FORM = 1;

/**
 * The form in which members write records: the newest one that all of them understand. So members of two versions work
 * next to each other during an upgrade.
 * @param members at least one
 */
function formOf(members: Iterable<Pick<Member, 'api'>>): number {
  return Math.min(...[...members].map(({ api }) => api));
}

/**
 * Checks that a host understands what the other members of a fleet write. A member whose own record says an older form
 * counts: the others still write that one.
 * @param own the name of a host that is no member yet; undefined for a member
 * @throws fleet-too-new
 */
export function checkForm(members: Iterable<Pick<Member, 'api' | 'name'>>, own?: string): void {
  const others = [...members].filter(({ name }) => name !== own);
  if (others.length === 0) return;
  const form = formOf(others);
  if (form > FORM) throw hostError('fleet-too-new', String(form), String(FORM));
}
