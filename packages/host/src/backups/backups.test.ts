import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test as it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { inspectCopy } from '../store/sqlite/inspect.ts';
import { DIRECTORY_ID } from '../store/sqlite/look-into.ts';
import { openDatabase } from '../store/sqlite/open.ts';
import { Store } from '../store/sqlite/store.ts';
import { Backups } from './backups.ts';

const ID = 'ab'.repeat(16);
let root: string;
let store: Store;
let database: DatabaseSync;
let folder: string;

beforeEach(() => {
  root = mkdtempSync('/var/tmp/porthole-backups-');
  folder = join(root, 'copies');
  const path = join(root, 'porthole.db');
  database = openDatabase(path);
  database.prepare('INSERT INTO meta VALUES (?, ?)').run(DIRECTORY_ID, ID);
  store = new Store(path, {}, database);
});
afterEach(() => {
  store.close();
  rmSync(root, { recursive: true });
});

const backups = (part: Partial<ConstructorParameters<typeof Backups>[0]> = {}, count = 3) =>
  new Backups({
    ...{ database: join(root, 'porthole.db'), directoryId: ID, settings: { folder, count, minutes: 60 } },
    ...{ store, clock: systemClock, log: silentLog },
    ...part,
  });
const put = (name: string) =>
  store.commit([{ kind: 'put-profile', profile: { name, description: '', config: {}, devices: {} } }], []);

it('makes a checked copy of all earlier commits, which only root can read', async () => {
  put('p1');
  const maker = backups();
  const { name, bytes } = await maker.create();
  const path = join(folder, name);
  expect([statSync(path).mode & 0o777, statSync(folder).mode & 0o777, statSync(path).size]).toEqual([
    0o600,
    0o700,
    bytes,
  ]);
  expect(inspectCopy(path, true)).toMatchObject({ id: ID, profiles: 1 });
  expect(readdirSync(folder)).toEqual([name]);
  expect((await maker.list()).map((each) => each.name)).toEqual([name]);
});

it('keeps the newest copies, and leaves other files alone', async () => {
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'mine.db'), 'x');
  const maker = backups({}, 2);
  const made: string[] = [];
  for (let turn = 0; turn < 3; turn++) made.push((await maker.create()).name);
  expect(readdirSync(folder).sort()).toEqual(['mine.db', ...made.slice(1)]);
});

it('leaves no copy if the file had to change while it was copied, and says so', async () => {
  const broken = { holdStill: () => ({ isWhole: false, onBroken: () => {}, end: () => {} }) };
  const maker = backups({ store: broken });
  await expect(maker.create()).rejects.toMatchObject({ code: 'backup-failed' });
  expect(maker.failure?.reason).toContain('changed too much');
  expect(await maker.list({ clean: true })).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

it('gives a copy no name if the file changed while it was read', async () => {
  let isWhole = true;
  const spoiled = {
    holdStill: () => ({
      get isWhole() {
        const now = isWhole;
        isWhole = false;
        return now;
      },
      onBroken: () => {},
      end: () => {},
    }),
  };
  await expect(backups({ store: spoiled }).create()).rejects.toThrow('changed too much');
  expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]);
});

it('makes no copy of a damaged database, and keeps the good ones', async () => {
  put('p1');
  const maker = backups({}, 1);
  const { name } = await maker.create();
  const index = database.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'events_by_share'").get();
  const file = openSync(join(root, 'porthole.db'), 'r+');
  writeSync(file, Buffer.alloc(100, 1), 0, 100, (Number(index?.['rootpage']) - 1) * 4096);
  closeSync(file);
  await expect(maker.create()).rejects.toThrow('the database itself may be damaged');
  expect(readdirSync(folder)).toEqual([name]);
});

it('refuses a folder that others can write to, or that cannot be made', async () => {
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  await expect(backups().create()).rejects.toThrow('other users can write to');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  await expect(backups().create()).rejects.toMatchObject({ code: 'backup-failed' });
  const { settings } = backups();
  await expect(
    backups({ settings: { ...settings, folder: join(root, 'a', 'b') } }).create(),
  ).rejects.toMatchObject({ code: 'backup-failed' });
  expect(readFileSync(folder, 'utf8')).toBe('');
});

it('makes one copy at a time, and none after it was stopped', async () => {
  const maker = backups();
  const first = maker.create();
  await expect(maker.create()).rejects.toMatchObject({ code: 'backup-running' });
  await first;
  const cut = maker.create();
  maker.stop();
  await expect(cut).rejects.toMatchObject({ code: 'shutting-down' });
  await expect(maker.create()).rejects.toMatchObject({ code: 'shutting-down' });
});
