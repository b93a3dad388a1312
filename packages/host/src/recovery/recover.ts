import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CodedError, messageOf } from '../base/coded-error.ts';
import { readRecords } from '../records/read-records.ts';
import { idOf } from '../store/sqlite/directory-id.ts';
import { lookBefore } from '../store/sqlite/first-look.ts';
import { inspectCopy, readCopy } from '../store/sqlite/inspect.ts';
import { type Choice, checkNamed, copyPaths, newestGood } from './choose-copy.ts';
import { type Plan, planRecovery, type Sources } from './plan.ts';
import { recoveryError } from './recovery-errors.ts';
import { replaceDatabase } from './replace-database.ts';

/** What an operator asks for. */
export interface RecoveryRequest {
  readonly stateDir: string;
  /** Folder of the copies. */
  readonly folder: string;
  /** Path of a copy, or its name in that folder; null: the newest good one. */
  readonly from: string | null;
  /** Whether only the records are used. */
  readonly withoutCopy: boolean;
  readonly dryRun: boolean;
  readonly now: Date;
}

/** What a recovery did, or would do. */
export interface Recovery extends Plan {
  /** Path of the copy; null: only the records are used. */
  readonly copy: string | null;
  /** New path of the old database; null if there was none, or nothing was done. */
  readonly replaced: string | null;
}

/**
 * Makes a new database for a state directory. The caller holds the lock of the directory. The files of instances and
 * images do not change.
 * @param tell gets a sentence about each copy or record that is not used
 * @param show gets the plan before it is carried out
 * @throws CodedError if there is nothing to recover from, or the database is not damaged; then nothing has changed
 */
export async function recoverDirectory(
  request: RecoveryRequest,
  tell: (sentence: string) => void,
  show: (recovery: Recovery) => void,
): Promise<Recovery> {
  const { copy, plan } = await prepare(request, tell);
  const planned: Recovery = { ...plan, copy, replaced: null };
  show(planned);
  return request.dryRun ? planned : { ...planned, replaced: carryOut(request, plan) };
}

async function prepare(
  request: RecoveryRequest,
  tell: (sentence: string) => void,
): Promise<{ copy: string | null; plan: Plan }> {
  const { stateDir, from, folder, withoutCopy } = request;
  const database = join(stateDir, 'porthole.db');
  const idFile = join(stateDir, 'id');
  const id = idIn(idFile);
  if (from === null && !withoutCopy && (await isWhole(database, id)))
    throw recoveryError('recovery-not-needed', database);
  const choice = chooseCopy(request, id, tell);
  const records = readRecords(join(stateDir, 'records'));
  for (const name of records.damaged) tell(`The record ${name} is damaged, and is not used`);
  if (!choice && records.numbers === null)
    throw recoveryError('recovery-nothing', folder, join(stateDir, 'records'));
  const directoryId = id ?? choice?.facts.id;
  if (!directoryId) throw recoveryError('recovery-no-id', idFile);
  const sources: Sources = {
    directoryId,
    copy: choice ? readCopy(choice.path) : null,
    records: records.state,
    numbers: records.numbers ?? { position: 0, lastInstanceId: 0 },
    folders: names(join(stateDir, 'instances'), /^[1-9]\d{0,14}$/).map(Number),
    imageFolders: names(join(stateDir, 'images'), /^[0-9a-f]{64}$/),
    now: request.now,
  };
  return { copy: choice?.path ?? null, plan: planRecovery(sources) };
}

function chooseCopy(
  { from, folder, withoutCopy }: RecoveryRequest,
  id: string | null,
  tell: (sentence: string) => void,
): Choice | null {
  if (withoutCopy) return null;
  if (from === null) return newestGood(copyPaths(folder), id, tell);
  const isName = !from.includes('/') && !existsSync(from);
  return checkNamed(isName ? join(folder, from) : resolve(from), id);
}

/**
 * Whether the database belongs to this directory and is not damaged. Then a recovery would only lose changes.
 * @throws recovery-newer if a later version of Porthole has written it
 */
async function isWhole(path: string, id: string | null): Promise<boolean> {
  const shared = `${path}-shm`;
  const wasThere = existsSync(shared);
  try {
    await lookBefore(path);
    return inspectCopy(path, true).id === id;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'copy-newer')
      throw recoveryError('recovery-newer', path);
    return false;
  } finally {
    // SQLite makes this file when it reads the log.
    if (!wasThere) rmSync(shared, { force: true });
  }
}

function carryOut({ stateDir, now }: RecoveryRequest, { rebuilt }: Plan): string | null {
  const idFile = join(stateDir, 'id');
  try {
    // First, and only if it is lost: on a full disk this write could destroy a good one.
    if (idIn(idFile) !== rebuilt.directoryId)
      writeFileSync(idFile, `${rebuilt.directoryId}\n`, { mode: 0o600, flush: true });
    return replaceDatabase(join(stateDir, 'porthole.db'), rebuilt, now);
  } catch (error) {
    throw recoveryError('recovery-failed', messageOf(error));
  }
}

/** The id of a state directory; null if it is lost. */
function idIn(path: string): string | null {
  return existsSync(path) ? idOf(readFileSync(path, 'utf8')) || null : null;
}

function names(folder: string, form: RegExp): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => form.test(name)) : [];
}
