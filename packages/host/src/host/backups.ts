import type { BackupsJson } from '../wire/backup.ts';
import { type Answer, type Edge, started, sync } from './call.ts';

/** GET /1.0/backups (Porthole addition): the copies of the database, and the settings. */
export async function listBackups({ backend }: Edge): Promise<Answer> {
  const { copies, ...state } = await backend.backups.list();
  const json: BackupsJson = {
    ...state,
    copies: copies.map(({ name, createdAt, bytes }) => ({ name, created_at: createdAt, size: bytes })),
  };
  return sync(json);
}

/** POST /1.0/backups: makes a copy. */
export function createBackup({ backend }: Edge): Answer {
  return started(backend.backups.create());
}
