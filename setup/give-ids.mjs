// Run when the Debian package is installed: gives root subordinate ids if it has none.
import { runMain } from './fail.mjs';
import { ensureSubordinateIds } from './subordinate-ids.mjs';

await runMain(async () => {
  ensureSubordinateIds();
  return 0;
});
