import type { Log } from '../base/log.ts';
import { SURE_PER_KEY } from '../http/connection-limits.ts';
import { raiseOpenFiles } from '../native/rlimit.ts';

/**
 * Descriptors for everything that is not a guest's connection: instances and processes that are held, images, the
 * host API, the store.
 */
const FILES_BESIDES_CONNECTIONS = 6144;

/** Instances for whose sure connections, which no setting counts, room is made where the kernel lets us. */
const INSTANCES_FORESEEN = 8192;

/** Makes room for all the connections that the settings allow, and says so when there is too little. */
export function prepareOpenFiles(connections: number, log: Log): void {
  const wanted = connections + FILES_BESIDES_CONNECTIONS;
  const { soft } = raiseOpenFiles(wanted + SURE_PER_KEY * INSTANCES_FORESEEN);
  if (soft >= wanted) return;
  log.warn(
    { openFiles: soft, wanted },
    'the limit on open files is too low for guest-connections-total: raise it (LimitNOFILE, ulimit -n)',
  );
}
