import type { Log } from './base/log.ts';
import { raiseOpenFiles } from './native/limits.ts';

/**
 * Descriptors for everything that is not a guest's connection: instances and processes that are held, images, the
 * host API, the store.
 */
const FILES_BESIDES_CONNECTIONS = 6144;

/** Makes room for all the connections that the settings allow, and says so when there is too little. */
export function prepareOpenFiles(connections: number, log: Log): void {
  const wanted = connections + FILES_BESIDES_CONNECTIONS;
  const { soft } = raiseOpenFiles(wanted);
  if (soft >= wanted) return;
  log.warn(
    { openFiles: soft, wanted },
    'the limit on open files is too low for guest-connections-total: raise it (LimitNOFILE, ulimit -n)',
  );
}
