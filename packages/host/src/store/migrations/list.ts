import { init } from './001-init.ts';
import { journal } from './002-journal.ts';
import { additions } from './003-additions.ts';

/**
 * All migrations, in order, listed by hand. The position is the schema's version (PRAGMA user_version).
 * They go forward only: one that has been released is never edited.
 */
export const MIGRATIONS: readonly string[] = [init, journal, additions];
