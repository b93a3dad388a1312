import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where everything is, below the state directory. */
export interface StatePaths {
  readonly lock: string;
  readonly database: string;
  readonly images: string;
  readonly roots: string;
  readonly instances: string;
  readonly devlxd: string;
  readonly guestSocket: string;
  readonly hostSocket: string;
}

/** Every folder on the way to a root filesystem must be searchable by the instance's root, and is not readable. */
const SEARCHABLE = 0o711;
const PRIVATE = 0o700;
const READABLE = 0o755;

/** Makes the state directory and the folders in it, with the modes that they must have. */
export function prepareStateDir(stateDir: string): StatePaths {
  const at = (...names: string[]) => join(stateDir, ...names);
  const folders = { instances: SEARCHABLE, rootfs: SEARCHABLE, images: PRIVATE, devlxd: READABLE };
  mkdirSync(stateDir, { recursive: true, mode: SEARCHABLE });
  chmodSync(stateDir, SEARCHABLE);
  for (const [name, mode] of Object.entries(folders)) {
    mkdirSync(at(name), { recursive: true });
    chmodSync(at(name), mode);
  }
  return {
    lock: at('lock'),
    database: at('porthole.db'),
    images: at('images'),
    roots: at('rootfs'),
    instances: at('instances'),
    devlxd: at('devlxd'),
    guestSocket: at('devlxd', 'sock'),
    hostSocket: at('unix.socket'),
  };
}
