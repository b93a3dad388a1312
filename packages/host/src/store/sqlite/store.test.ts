import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Image, Instance, NewEvent } from '../../core/entities.ts';
import { openDatabase } from './open.ts';
import { Store } from './store.ts';

const instance: Instance = {
  id: 1,
  name: 'c1',
  architecture: 'x86_64',
  description: 'first',
  ephemeral: true,
  profiles: ['default', 'other'],
  config: { 'user.ü': 'line\nbreak', 'user.__proto__': 'x' },
  devices: { root: { type: 'disk', path: '/', pool: 'default' } },
  createdAt: '2026-01-01T00:00:00Z',
  lastStartedAt: '1970-01-01T00:00:00Z',
};

const image: Image = {
  fingerprint: 'f'.repeat(64),
  architecture: 'x86_64',
  size: 10,
  filename: 'i.tar.gz',
  public: false,
  cached: true,
  autoUpdate: false,
  properties: { os: 'x' },
  profiles: ['default'],
  createdAt: '2026-01-01T00:00:00Z',
  uploadedAt: '2026-01-01T00:00:00Z',
  lastUsedAt: '1970-01-01T00:00:00Z',
  expiresAt: '1970-01-01T00:00:00Z',
  files: { kind: 'unified', extension: '.tar.gz' },
};

const event: NewEvent = {
  instanceId: 1,
  type: 'config',
  timestamp: '2026-01-01T00:00:00Z',
  metadata: { key: 'user.a', old_value: '', value: '1' },
};

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync('/var/tmp/porthole-store-');
  path = join(folder, 'porthole.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('Store', () => {
  it('gives all committed objects to a later daemon', () => {
    const alias = { name: 'a', target: image.fingerprint, description: '' };
    const first = new Store(path);
    first.commit([{ kind: 'put-instance', instance }], [event]);
    first.commit(
      [
        { kind: 'put-image', image },
        { kind: 'put-alias', alias },
      ],
      [],
    );
    first.close();
    const later = new Store(path);
    const state = later.load();
    expect(state.instances.get(1)).toEqual(instance);
    expect(state.images.get(image.fingerprint)).toEqual(image);
    expect(state.aliases.get('a')).toEqual(alias);
    later.close();
  });

  it('keeps devices that are being added until they are dropped or their instance is deleted', () => {
    const additions = [{ name: 'd', device: { type: 'disk', path: '/d', source: '/s' }, created: true }];
    const first = new Store(path);
    for (const instanceId of [1, 2, 3]) first.commit([{ kind: 'put-additions', instanceId, additions }], []);
    first.commit([{ kind: 'drop-additions', instanceId: 1 }], []);
    first.commit([{ kind: 'delete-instance', id: 2 }], []);
    first.close();
    const later = new Store(path);
    expect([...later.additions()]).toEqual([[3, additions]]);
    later.close();
  });

  it('never gives an id twice, also if the newest instance was deleted', () => {
    const store = new Store(path);
    expect(store.nextInstanceId()).toBe(1);
    store.commit([{ kind: 'put-instance', instance: { ...instance, id: 7 } }], []);
    store.commit([{ kind: 'delete-instance', id: 7 }], []);
    expect(store.nextInstanceId()).toBe(8);
    store.close();
  });

  it('writes nothing of a commit that fails in the middle', () => {
    const store = new Store(path);
    store.commit([{ kind: 'put-instance', instance }], []);
    const clash = { ...instance, id: 2 };
    const profile = { name: 'p', description: '', config: {}, devices: {} };
    expect(() =>
      store.commit(
        [
          { kind: 'put-profile', profile },
          { kind: 'put-instance', instance: clash },
        ],
        [event],
      ),
    ).toThrow(/UNIQUE/);
    expect(store.load().profiles.size).toBe(0);
    expect(store.commit([], [event])[0]?.sequence).toBe(1);
    store.close();
  });

  it('moves its log into the database while idle', async () => {
    const store = new Store(path);
    const marked = { ...instance, description: 'a mark in the file' };
    store.commit([{ kind: 'put-instance', instance: marked }], []);
    expect(readFileSync(path)).not.toContain(marked.description);
    await vi.waitUntil(() => readFileSync(path).includes(marked.description));
    store.close();
  });

  it('reports a damaged page as an error, and still reads and writes the rest', () => {
    const store = new Store(path);
    store.commit(
      [{ kind: 'put-instance', instance }],
      Array.from({ length: 2000 }, () => event),
    );
    store.close();
    const database = openDatabase(path);
    const leaf = database.prepare(
      "SELECT pageno, pgsize FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno",
    );
    const { pageno, pgsize } = leaf.get() as { pageno: number; pgsize: number };
    database.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, (pageno - 1) * pgsize, pageno * pgsize));
    const damaged = new Store(path);
    const read = () => {
      const query = { instanceId: 1, after: 0, types: new Set(['config']), events: 256, bytes: 1e9 };
      for (let { more, reached } = damaged.eventsAfter(query); more; ) {
        ({ more, reached } = damaged.eventsAfter({ ...query, after: reached }));
      }
    };
    expect(read).toThrow(/^The database is damaged: run `portholed recover` while/);
    expect(damaged.load().instances.get(1)).toEqual(instance);
    damaged.commit([{ kind: 'put-instance', instance: { ...instance, description: 'later' } }], [event]);
    damaged.close();
  });

  it('refuses an alias of an image that does not exist', () => {
    const store = new Store(path);
    const alias = { name: 'a', target: 'nothing', description: '' };
    expect(() => store.commit([{ kind: 'put-alias', alias }], [])).toThrow(/FOREIGN KEY/);
    store.close();
  });
});

describe('openDatabase', () => {
  it('applies each migration once, in order', () => {
    openDatabase(path, ['CREATE TABLE a (x)']).close();
    const database = openDatabase(path, ['CREATE TABLE a (x)', 'INSERT INTO a VALUES (2)']);
    expect(database.prepare('SELECT x FROM a').all()).toEqual([{ x: 2 }]);
    database.close();
  });

  it('keeps the version before a migration that fails', () => {
    openDatabase(path, ['CREATE TABLE a (x)']).close();
    expect(() => openDatabase(path, ['', 'CREATE TABLE b (x); BROKEN'])).toThrow();
    const database = openDatabase(path, ['CREATE TABLE a (x)']);
    expect(database.prepare("SELECT name FROM sqlite_master WHERE name = 'b'").all()).toEqual([]);
    database.close();
  });

  it('refuses a database that a later version has written', () => {
    openDatabase(path, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']).close();
    expect(() => openDatabase(path, ['CREATE TABLE a (x)'])).toThrow(/newer Porthole/);
  });
});
