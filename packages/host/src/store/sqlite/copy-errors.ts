import { errorsOf } from '../../base/coded-error.ts';

/** Reasons not to use a copy of the database. */
const COPY_ERRORS = {
  'copy-missing': [404, 'There is no file %s'],
  'copy-unreadable': [500, 'The copy %s cannot be read: %s'],
  'copy-damaged': [500, 'The copy %s is damaged: %s'],
  'copy-other': [400, '%s is not a database of Porthole'],
  'copy-newer': [400, 'The copy %s has schema %s, this Porthole knows %s: use a newer Porthole'],
  'copy-foreign': [400, 'The copy %s belongs to the state directory with id %s, but this one has id %s'],
} as const;

/** Makes the error of a code; the values replace each `%s`. */
export const copyError = errorsOf(COPY_ERRORS);
