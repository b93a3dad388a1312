import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test as it, vi } from 'vitest';
import type { Instance, NewEvent } from '../../core/entities.ts';
import { inspectCopy, readCopy } from './inspect.ts';
import { openDatabase } from './open.ts';
import { type StagedRows, Store } from './store.ts';

let folder: string;
let path: string;
let database: DatabaseSync;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-staging-');
  path = join(folder, 'porthole.db');
  database = openDatabase(path);
  store = new Store(path, {}, database);
  store.commit([{ kind: 'put-instance', instance: named('before') }], [event]);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const named = (description: string): Instance => ({
  ...{ id: 1, name: 'c1', architecture: 'x86_64', description, ephemeral: false, profiles: [] },
  ...{ config: {}, devices: {}, createdAt: '', lastStartedAt: '' },
});
const event: NewEvent = { instanceId: 1, type: 'config', timestamp: '', metadata: { key: 'user.a' } };
const after: StagedRows = { instanceId: 1, instance: named('after'), events: [event] };

/** A copy of the file, made as the daemon makes it. */
function copy(): string {
  const still = store.holdStill();
  expect(still.isWhole).toBe(true);
  const target = join(folder, `copy-${Math.random()}.db`);
  copyFileSync(path, target);
  still.end();
  return target;
}

function stage(): void {
  store.beginStaging();
  store.stage([after]);
}

it('syncs each commit, so that a crash of the host leaves no gap in the log', () => {
  const levels: unknown[] = [];
  const exec = database.exec.bind(database);
  vi.spyOn(database, 'exec').mockImplementation((sql) => {
    if (sql === 'COMMIT') levels.push(database.prepare('PRAGMA synchronous').get()?.['synchronous']);
    exec(sql);
  });
  stage();
  store.commitStaged([], [], []);
  const full = 2;
  expect(levels).toEqual([full, full]);
});

it('is not in a copy that is made before the commit, nor is its position', () => {
  stage();
  const made = copy();
  expect(inspectCopy(made, true).position).toBe(1);
  expect(readCopy(made)).toMatchObject({
    position: 1,
    state: { instances: new Map([[1, named('before')]]) },
  });
});

it('leaves the order of copies as it is if it is given up', () => {
  stage();
  const during = copy();
  store.giveUpStaging();
  store.commit([], [event]);
  expect([during, copy()].map((each) => inspectCopy(each, false).position)).toEqual([1, 2]);
});

it('is in a copy that is made after the commit, before its rows are moved', () => {
  stage();
  const { staged } = store.commitStaged([], [], []);
  expect(store.isUntidy).toBe(true);
  const made = readCopy(copy());
  expect(made.state.instances.get(1)).toEqual(named('after'));
  expect(made.position).toBe(staged.get(1)?.[0]?.sequence);
});

it('leaves nothing true if the disk is full while it is staged, and can be done again', () => {
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  const large = (id: number): StagedRows => ({
    ...{ instanceId: id, events: [{ ...event, instanceId: id }] },
    instance: { ...named('x'.repeat(100_000)), id, name: `c${id}` },
  });
  const stageAll = () => {
    store.beginStaging();
    for (let id = 2; id < 40; id++) store.stage([large(id)]);
  };
  database.exec(`PRAGMA max_page_count = ${pages + 300}`);
  expect(stageAll).toThrow('The disk that holds the state is full');
  store.giveUpStaging();
  const [told] = store.commit([], [event]);
  expect(told?.sequence).toBe(2);
  expect(store.load().instances.size).toBe(1);
  while (store.isUntidy) store.tidy();
  database.exec(`PRAGMA max_page_count = ${pages + 5000}`);
  stageAll();
  const { staged } = store.commitStaged([after], [], []);
  expect(staged.size).toBe(39);
  expect(store.load().instances.get(39)?.description).toHaveLength(100_000);
  while (store.isUntidy) store.tidy();
  expect(store.load().instances.size).toBe(39);
  expect(store.journalSpan(null).newest).toBe(staged.get(1)?.[0]?.sequence);
});

it('is counted in slices after its commit', () => {
  const limits = { events: 200, sureEvents: 0 };
  const full = new Store(join(folder, 'full.db'), { journal: limits });
  full.beginStaging();
  const rows = (id: number): StagedRows => ({
    ...{ instanceId: id, instance: null, events: [{ ...event, instanceId: id }] },
  });
  full.stage(Array.from({ length: 150 }, (_, at) => rows(at + 1)));
  full.commitStaged([], [], []);
  expect([full.countStaged(), full.countStaged()]).toEqual([false, true]);
  // There is room for 50 more. The next one has the oldest event of an instance dropped.
  full.commit([], Array(50).fill(event));
  const span = () => full.journalSpan(1).oldest;
  expect(span()).toBe(0);
  full.commit([], [event]);
  expect(span()).toBeGreaterThan(0);
  full.close();
});

it('is tidied also if the store is never idle', () => {
  stage();
  store.giveUpStaging();
  expect(store.isUntidy).toBe(true);
  store.trimJournal();
  expect(store.isUntidy).toBe(false);
});
