import type { Log } from '../base/log.ts';
import { SURE_PER_KEY } from '../http/connection-limits.ts';
import { raiseOpenFiles } from '../native/rlimit.ts';

/**
 * Descriptors for everything that is not a guest's connection: instances and processes that are held, images,
 * the host API, the store.
 */
const FILES_BESIDES_CONNECTIONS = 6144;

/**
 * Descriptors for the sure connections of this many instances, which no setting counts, are added if
 * possible.
 */
const INSTANCES_FORESEEN = 8192;

/** Raises the limit on open files for the connections that the settings allow, and warns if it is too low. */
export function prepareOpenFiles(connections: number, log: Log): void {
  const wanted = connections + FILES_BESIDES_CONNECTIONS;
  const { soft } = raiseOpenFiles(wanted + SURE_PER_KEY * INSTANCES_FORESEEN);
  if (soft >= wanted) return;
  log.warn(
    { openFiles: soft, wanted },
    'the limit on open files is too low for guest-connections-total: raise it (LimitNOFILE, ulimit -n)',
  );
}
