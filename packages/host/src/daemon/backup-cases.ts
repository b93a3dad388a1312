import { Backups } from '../backups/backups.ts';
import { BackupSchedule } from '../backups/schedule.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { within } from '../base/within.ts';
import type { DaemonConfig } from '../config/config.ts';
import { backupSettings } from '../config/daemon-limits.ts';
import type { BackupCases, BackupState } from '../host/backend.ts';
import type { Needs } from '../instances/needs.ts';
import { RecordWriter } from '../records/record-writer.ts';
import type { OpenedStore } from '../store/sqlite/open-store.ts';

/** What operators can do with copies of the database. */
export function backupCases(
  { operations }: Needs<'operations'>,
  backups: Pick<Backups, 'list' | 'create' | 'settings' | 'failure'>,
): BackupCases {
  const state = (): BackupState => ({ ...backups.settings, failure: backups.failure });
  return {
    state,
    list: async () => ({ ...state(), copies: await backups.list() }),
    create: () =>
      operations.run({
        description: 'Backing up the database',
        work: async ({ report }) => {
          const { name, bytes } = await backups.create((percent) =>
            report({ backup_progress: percent < 100 ? `Copy: ${percent}%` : 'Check' }),
          );
          return { name, size: bytes };
        },
      }),
  };
}

/** The copies of an open database. @param database its path */
export function openBackups(
  config: DaemonConfig,
  database: string,
  { id: directoryId, store }: OpenedStore,
  log: Log,
): Backups {
  return new Backups({
    ...{ database, directoryId, store, log },
    ...{ settings: backupSettings(config), clock: systemClock },
  });
}

/**
 * Writes records, and makes copies from time to time.
 * @returns a function that ends the copies, also one that is being made
 */
export function beginBackups(
  backups: Backups,
  records: RecordWriter,
  { model, journal, log }: Needs<'journal' | 'log' | 'model'>,
): () => void {
  const numbers = () => ({
    lastInstanceId: model.nextInstanceId() - 1,
    position: journal.journalSpan(null).newest,
  });
  void records.begin({ state: model.state, numbers });
  const schedule = new BackupSchedule(backups, systemClock, log);
  void schedule.begin();
  return () => {
    schedule.stop();
    backups.stop();
  };
}

/** How long the end waits for records: they help only if the database is lost. */
const RECORDS_MS_MAX = 2_000;

/** Keeps records of what the store has; they are written from {@link beginBackups} on. */
export function openRecords(started: AsyncDisposableStack, folder: string, log: Log): RecordWriter {
  const records = new RecordWriter(folder, log);
  started.defer(async () => void (await within(RECORDS_MS_MAX, records.stop())));
  return records;
}
