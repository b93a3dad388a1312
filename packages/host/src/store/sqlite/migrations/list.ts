import { init } from './001-init.ts';
import { journal } from './002-journal.ts';
import { additions } from './003-additions.ts';
import { directory } from './004-directory.ts';
import { shares } from './005-shares.ts';
import { reserve } from './006-reserve.ts';
import { staging } from './007-staging.ts';
import { fleet } from './008-fleet.ts';

/**
 * All migrations, in order. The schema's version (PRAGMA user_version) is the number of applied ones. There
 * are no migrations back, and a released one is never edited.
 */
export const MIGRATIONS: readonly string[] = [
  init,
  journal,
  additions,
  directory,
  shares,
  reserve,
  staging,
  fleet,
];
