import { errorsOf } from '../../base/coded-error.ts';

/** Failures with the own certificate: the daemon does not start as a member with them. */
const LINK_ERRORS = {
  'certificate-not-made': [500, 'The certificate of this member cannot be made: %s'],
  'certificate-unusable': [500, 'The certificate of this member in %s cannot be used: %s'],
  'member-address-invalid': [400, 'Invalid address of a member: "%s" is not HOST:PORT'],
} as const satisfies Record<string, readonly [number, string]>;

/** Makes the error of a code. */
export const linkError = errorsOf(LINK_ERRORS);
