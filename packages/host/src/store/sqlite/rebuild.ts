import type { State } from '../../core/entities.ts';
import { HOST } from './journal-sizes.ts';
import { DIRECTORY_ID } from './look-into.ts';
import { openDatabase } from './open.ts';
import { writersOf } from './writers.ts';

/** The content of a database that a recovery makes. */
export interface Rebuilt {
  readonly directoryId: string;
  readonly state: State;
  /** Ids of unknown instances. The daemon never removes their folders and never uses their ids. */
  readonly keptFolders: readonly number[];
  /** Fingerprints of unknown images. The daemon never removes their files. */
  readonly keptImages: readonly string[];
  /** New instances get ids above this one. */
  readonly lastInstanceId: number;
  /** All positions before this one are too old for every reader. No event has a later one. */
  readonly position: number;
}

/** The key of the row with the images whose files are kept, as a JSON list of fingerprints. */
export const KEPT_IMAGES = 'kept-images';

/** Makes a database. @param path where there is no file */
export function rebuild(path: string, rebuilt: Rebuilt): void {
  const database = openDatabase(path);
  try {
    const { change } = writersOf(database);
    const { state, keptFolders, keptImages, lastInstanceId, position, directoryId } = rebuilt;
    database.exec('BEGIN IMMEDIATE');
    for (const profile of state.profiles.values()) change({ kind: 'put-profile', profile });
    for (const image of state.images.values()) change({ kind: 'put-image', image });
    for (const alias of state.aliases.values()) change({ kind: 'put-alias', alias });
    for (const instance of state.instances.values()) change({ kind: 'put-instance', instance });
    for (const instanceId of keptFolders) change({ kind: 'keep-folder', instanceId });
    change({ kind: 'give-instance-id', id: lastInstanceId });
    const meta = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
    meta.run(DIRECTORY_ID, directoryId);
    meta.run(KEPT_IMAGES, JSON.stringify(keptImages));
    database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)").run(position);
    database.prepare('UPDATE journal_newest SET sequence = ?').run(position);
    const floor = database.prepare('INSERT INTO journal_floors VALUES (?, ?)');
    for (const reader of [HOST, ...state.instances.keys()]) floor.run(reader, position);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}
