// Loaded before `porthole` and `portholed`, on all of their threads.
const { enableCompileCache } = require('node:module');
const { userInfo } = require('node:os');
const { join } = require('node:path');

// Keeps compiled code between starts, which halves the time until the first request. This file is plain
// JavaScript, because Node loads a compiler for the first TypeScript that it finds without the cache. The
// cache is not in Node's default place: that is a shared directory, where another user could put code for
// Porthole to run. HOME is not used either, since sudo may leave it pointing to another user's home.
try {
  enableCompileCache(join(userInfo().homedir, '.cache', 'porthole'));
} catch {
  // A user without an entry in the user database: the start is slower, nothing else.
}
