import type { DatabaseSync } from 'node:sqlite';
import type { Fleet, State } from '../../core/entities.ts';
import { aliasOf, imageOf, instanceOf, profileOf } from './rows.ts';
import { stagedIn } from './staged-instances.ts';

/** All objects of a database. @throws SyntaxError or SQLite's error if it is damaged */
export function stateIn(database: DatabaseSync): State {
  const all = <T>(table: string, of: (row: Record<string, unknown>) => T): T[] =>
    database.prepare(`SELECT * FROM ${table}`).all().map(of);
  const instances = [...all('instances', instanceOf), ...stagedIn(database)];
  return {
    instances: new Map(instances.map((each) => [each.id, each])),
    profiles: new Map(all('profiles', profileOf).map((each) => [each.name, each])),
    images: new Map(all('images', imageOf).map((each) => [each.fingerprint, each])),
    aliases: new Map(all('aliases', aliasOf).map((each) => [each.name, each])),
  };
}

/** The fleet of a database, with its mirror; null if the host is no member of one. */
export function fleetIn(database: DatabaseSync) {
  const row = database.prepare('SELECT member, revision, mark FROM fleet').get();
  if (!row) return null;
  const fleet: Fleet = {
    member: String(row['member']),
    revision: Number(row['revision']),
    ...(row['mark'] === null ? {} : { mark: String(row['mark']) }),
  };
  const rows = database.prepare('SELECT key, put FROM mirror').all();
  const mirror = rows.map((each) => [String(each['key']), String(each['put'])] as const);
  return { fleet, mirror: new Map(mirror) };
}

/**
 * The newest position of an event. It has a table of its own, because a large change raises the number that SQLite
 * keeps already before its commit. Databases of earlier versions have only SQLite's number.
 */
export function newestPositionIn(database: DatabaseSync): number {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'journal_newest'").get();
  if (!table) return lastNumberIn(database, 'events');
  return Number(database.prepare('SELECT sequence FROM journal_newest').get()?.['sequence'] ?? 0);
}

/** The last number that a table has given to a row, also if the row is gone; 0 if it has given none. */
export function lastNumberIn(database: DatabaseSync, table: 'instances' | 'events'): number {
  const row = database.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table);
  return Number(row?.['seq'] ?? 0);
}
