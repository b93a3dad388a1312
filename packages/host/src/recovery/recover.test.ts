import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { inspectCopy } from '../store/sqlite/inspect.ts';
import { rebuild } from '../store/sqlite/rebuild.ts';
import { type RecoveryRequest, recoverDirectory } from './recover.ts';

const ID = 'ab'.repeat(16);
let stateDir: string;
let database: string;
let idFile: string;

/** A state directory with one copy. */
beforeEach(() => {
  stateDir = mkdtempSync('/var/tmp/porthole-recover-');
  database = join(stateDir, 'porthole.db');
  idFile = join(stateDir, 'id');
  mkdirSync(join(stateDir, 'backups'));
  writeFileSync(idFile, `${ID}\n`);
  make(database);
  make(join(stateDir, 'backups', `porthole-${ID.slice(0, 12)}-20260101T000000000Z.db`));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

function make(path: string): void {
  const none = new Map();
  const state = { instances: none, profiles: none, images: none, aliases: none };
  const kept = { keptFolders: [], keptImages: [] };
  rebuild(path, { directoryId: ID, state, ...kept, lastInstanceId: 7, position: 9 });
}

function recover(part: Partial<RecoveryRequest> = {}) {
  const request = { stateDir, folder: join(stateDir, 'backups'), from: null, withoutCopy: false };
  const told = () => {};
  return recoverDirectory({ ...request, dryRun: false, now: new Date(), ...part }, told, told);
}

it('is refused for a database that is whole, or of a later Porthole', async () => {
  await expect(recover()).rejects.toMatchObject({ code: 'recovery-not-needed' });
  const later = new DatabaseSync(database);
  later.exec('PRAGMA user_version = 1000');
  later.close();
  await expect(recover()).rejects.toMatchObject({ code: 'recovery-newer' });
  const { copy } = await recover({
    from: `porthole-${ID.slice(0, 12)}-20260101T000000000Z.db`,
    dryRun: true,
  });
  expect(copy).toContain('/backups/');
});

it('writes the id of the directory only if it is lost', async () => {
  writeFileSync(database, 'damaged');
  const { ino, mtimeMs } = statSync(idFile);
  await recover();
  expect(statSync(idFile)).toMatchObject({ ino, mtimeMs });
  expect(inspectCopy(database, true).id).toBe(ID);
  writeFileSync(database, 'damaged');
  writeFileSync(idFile, '');
  await recover();
  expect(readFileSync(idFile, 'utf8')).toBe(`${ID}\n`);
});
