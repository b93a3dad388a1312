import { errorsOf } from '../base/coded-error.ts';

const RECOVERY_ERRORS = {
  'recovery-not-needed': [
    400,
    'The database %s is not damaged. To go back to a copy nevertheless, and lose newer changes, name the copy with --from',
  ],
  'recovery-newer': [
    400,
    'A newer Porthole has written the database %s: start that one. To go back to a copy nevertheless, and lose newer changes, name the copy with --from',
  ],
  'recovery-nothing': [
    404,
    'There is nothing to recover from: %s has no good copy of the database, and %s has no records. Name a copy with --from, or move the state directory away to begin with an empty one',
  ],
  'recovery-no-id': [
    400,
    'Neither the file %s nor a copy has the id of this state directory: name a copy of its database with --from',
  ],
  'recovery-failed': [500, 'The recovery failed, and the old database is unchanged: %s'],
} as const;

/** Makes the error of a code; the values replace each `%s`. */
export const recoveryError = errorsOf(RECOVERY_ERRORS);
