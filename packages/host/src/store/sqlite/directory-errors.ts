import { errorsOf } from '../../base/coded-error.ts';

const PAGE = 'see "The state directory" in docs/operations.md';

/** Reasons to refuse a state directory, each in one sentence that says what to do. */
const DIRECTORY_ERRORS = {
  'database-missing': [
    500,
    `The database %s is missing or empty, but the state directory has been in use: run \`portholed recover\`, or move the directory away to begin with an empty one (${PAGE})`,
  ],
  'database-other': [
    500,
    `%s is not a database of Porthole: put the right one there, or run \`portholed recover\` (${PAGE})`,
  ],
  'database-foreign': [
    500,
    `The database %s belongs to the state directory with id %s, but this one has id %s: put this directory's own database there (${PAGE})`,
  ],
  'database-without-id': [
    500,
    `The database %s carries no id, but this state directory has one: if it is an old copy of this directory's own, remove %s and start again (${PAGE})`,
  ],
  'id-missing': [
    500,
    `The state directory has files but not its file "id": if the database there is its own, write %s into %s (${PAGE})`,
  ],
  'id-unreadable': [
    500,
    `The file %s holds no id: if the database there is this directory's own, write %s into it (${PAGE})`,
  ],
  'directory-unusable': [500, 'The state directory cannot be used: %s'],
} as const;

/** Makes the error of a code; the values replace each `%s`. */
export const directoryError = errorsOf(DIRECTORY_ERRORS);
