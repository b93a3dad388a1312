import type { DatabaseSync } from 'node:sqlite';

/** Keys and values. */
export type Texts = Readonly<Record<string, string>>;

/** A row of `instances`, or of `profiles` for what both have. */
export interface ProfileRow {
  readonly name: string;
  readonly config: Texts;
  readonly devices: Readonly<Record<string, Texts>>;
}

/** A row of `instances`. */
export interface InstanceRow extends ProfileRow {
  readonly id: number;
  readonly ephemeral: boolean;
  readonly profiles: readonly string[];
}

/** A row of `events`. */
export interface EventRow {
  readonly sequence: number;
  /** null: an event of the host. */
  readonly instanceId: number | null;
  readonly type: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The content of a database, read only with the SQL of this file. */
export interface Rows {
  readonly instances: readonly InstanceRow[];
  readonly profiles: readonly ProfileRow[];
  /** Fingerprints. */
  readonly images: readonly string[];
  readonly aliases: readonly { readonly name: string; readonly target: string }[];
  readonly events: readonly EventRow[];
  /** Ids of instances with devices that are being added. */
  readonly additions: readonly number[];
  /** Ids whose folders are kept although no instance has them. */
  readonly keptFolders: readonly number[];
  /** The highest number that a table has ever given. */
  readonly given: { readonly instances: number; readonly events: number };
  /** By reader, which is an instance or 0 for the host: the position up to which it may miss events, and gets 410. */
  readonly floors: ReadonlyMap<number, number>;
  /** What SQLite itself finds wrong. */
  readonly damage: readonly string[];
}

/** Reads everything. @throws the errors of SQLite, and SyntaxError for a text that is not JSON */
export function readRows(database: DatabaseSync): Rows {
  const all = (sql: string) => database.prepare(sql).all() as Record<string, unknown>[];
  const ids = (sql: string) => all(sql).map(({ id }) => Number(id));
  const given = (table: string) =>
    ids(`SELECT seq AS id FROM sqlite_sequence WHERE name = '${table}'`)[0] ?? 0;
  return {
    instances: all('SELECT * FROM instances ORDER BY id').map((row) => ({
      ...profileOf(row),
      id: Number(row['id']),
      ephemeral: Number(row['ephemeral']) === 1,
      profiles: parsed(row['profiles']) as string[],
    })),
    profiles: all('SELECT * FROM profiles ORDER BY name').map(profileOf),
    images: all('SELECT fingerprint FROM images ORDER BY fingerprint').map((row) =>
      String(row['fingerprint']),
    ),
    aliases: all('SELECT name, target FROM aliases ORDER BY name') as unknown as Rows['aliases'],
    events: all('SELECT * FROM events ORDER BY sequence').map(eventOf),
    additions: ids('SELECT instance_id AS id FROM additions'),
    keptFolders: ids('SELECT instance_id AS id FROM kept_folders'),
    given: { instances: given('instances'), events: given('events') },
    floors: new Map(
      all('SELECT * FROM journal_floors').map((row) => [Number(row['instance_id']), Number(row['sequence'])]),
    ),
    damage: damageOf(all),
  };
}

function damageOf(all: (sql: string) => Record<string, unknown>[]): string[] {
  const integrity = all('PRAGMA integrity_check').map((row) => String(row['integrity_check']));
  const foreign = all('PRAGMA foreign_key_check').map((row) => `a row of ${row['table']} refers to nothing`);
  return [...integrity.filter((text) => text !== 'ok'), ...foreign];
}

function parsed(text: unknown): unknown {
  return JSON.parse(String(text));
}

function profileOf(row: Record<string, unknown>): ProfileRow {
  const { config, devices } = row;
  return {
    name: String(row['name']),
    config: parsed(config) as Texts,
    devices: parsed(devices) as Record<string, Texts>,
  };
}

function eventOf(row: Record<string, unknown>): EventRow {
  return {
    sequence: Number(row['sequence']),
    instanceId: row['instance_id'] === null ? null : Number(row['instance_id']),
    type: String(row['type']),
    metadata: parsed(row['metadata']) as Record<string, unknown>,
  };
}

/** What an instance has with its profiles: later ones win, and a device replaces one of its name as a whole. */
export function expandedOf(rows: Rows, instance: InstanceRow): Pick<ProfileRow, 'config' | 'devices'> {
  const layers = [
    ...instance.profiles.flatMap((name) => rows.profiles.filter((profile) => profile.name === name)),
    instance,
  ];
  return {
    config: Object.assign({}, ...layers.map(({ config }) => config)) as Texts,
    devices: Object.assign({}, ...layers.map(({ devices }) => devices)) as ProfileRow['devices'],
  };
}

/** The status of an instance in the store: RUNNING, STOPPED, or a state in between. */
export function powerOf({ config }: InstanceRow): string {
  return config['volatile.last_state.power'] ?? 'STOPPED';
}

/** Whether another runtime has started it. */
export function isAdopted({ config }: InstanceRow): boolean {
  return config['volatile.adopted'] !== undefined;
}
