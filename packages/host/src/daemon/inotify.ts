import { readFileSync, writeFileSync } from 'node:fs';
import type { Log } from '../base/log.ts';

/**
 * The kernel counts inotify instances and watches of all unprivileged instances together, as those of the
 * host's root, which has made their user namespaces. With the usual limit of 128 a single instance can use up
 * all of them. LXD's page on production advises so many that memory, which is charged to each instance, runs
 * out first.
 */
const WANTED = 1_048_576;

const LIMITS = ['max_user_instances', 'max_user_watches'] as const;

/** Raises the host's limits on inotify, and logs it; where that is not allowed they stay unchanged. */
export function prepareInotify(log: Log, folder = '/proc/sys/fs/inotify'): void {
  for (const name of LIMITS) {
    const path = `${folder}/${name}`;
    try {
      const before = Number(readFileSync(path, 'utf8'));
      if (before >= WANTED) continue;
      writeFileSync(path, String(WANTED));
      log.info({ limit: `fs.inotify.${name}`, before, now: WANTED }, 'limit of the host raised');
    } catch (err) {
      log.warn(
        { err, limit: `fs.inotify.${name}` },
        'limit of the host cannot be raised: one instance can use it up',
      );
    }
  }
}
