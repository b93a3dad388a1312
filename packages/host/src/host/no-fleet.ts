import { hostError } from '../core/host-errors.ts';
import type { MembershipCases } from './fleet-cases.ts';

function refuse(): never {
  throw hostError('not-clustered');
}

/** The membership of a daemon whose store is its own: it can become no member. */
export const NO_MEMBERSHIP: MembershipCases = {
  notice: () => null,
  enable() {
    throw hostError('no-shared-store');
  },
  disable: refuse,
  remove: refuse,
};
