// Loaded before `porthole` and `portholed`, on all of their threads.
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';

// Keeps compiled code between runs, which halves the time until the first request. Plain JavaScript, because the first
// TypeScript that Node meets without the cache makes it load a compiler. Not in Node's default place: that is a shared
// directory, where another user could put code of theirs for us to run. HOME is not asked either, since sudo may leave
// it pointing to somebody else's.
try {
  enableCompileCache(join(userInfo().homedir, '.cache', 'porthole'));
} catch {
  // A user without an entry in the user database: slower, nothing else.
}
